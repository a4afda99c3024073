//! The names of the parameters of movies' routes: a misspelt one is refused before the others are read.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::request_validation::query::QueryParameters;

/// Only the names are read: whatever values these have is right.
macro_rules! parameter_names {
    ($(#[$comment:meta])* $type:ident, $original:expr, $names:expr) => {
        $(#[$comment])*
        pub(super) struct $type;

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_struct(stringify!($type), $names, IgnoredAny).map(|_| Self)
            }
        }

        impl QueryParameters for $type {
            const ORIGINAL: Option<&'static [&'static str]> = $original;
        }
    };
}

const ORIGINAL: &[&str] = &["page", "page_size", "sort_by", "order", "release_date_from", "release_date_to"];

const LIST: &[&str] = &[
    "q",
    "with_genres",
    "without_genres",
    "with_original_language",
    "year",
    "release_date_from",
    "release_date_to",
    "vote_average_gte",
    "vote_average_lte",
    "vote_count_gte",
    "runtime_gte",
    "runtime_lte",
    "popularity_gte",
    "ids",
    "page",
    "page_size",
    "sort_by",
    "order",
    "cursor",
    "include",
    "facets",
];

parameter_names!(
    /// Of the list.
    ListNames,
    Some(ORIGINAL),
    LIST
);

parameter_names!(
    /// Of a random movie, which has no page: paging and sorting make no difference.
    RandomNames,
    None,
    LIST
);

parameter_names!(
    /// Of similar movies.
    SimilarNames,
    None,
    &["limit"]
);

#[cfg(test)]
mod tests {
    use utoipa::IntoParams;

    use super::{super::schema, *};
    use crate::handler::request_validation::query::parse_query;

    fn knows<T: QueryParameters>(parameters: impl IntoIterator<Item = utoipa::openapi::path::Parameter>) {
        let names: Vec<_> = parameters.into_iter().map(|parameter| parameter.name).collect();
        let query = names.iter().map(|name| format!("{name}=x")).collect::<Vec<_>>().join("&");
        assert!(parse_query::<T>(&query).is_ok(), "{query}");
    }

    #[test]
    fn every_parameter_of_the_specification_is_known() {
        knows::<ListNames>(schema::ListParameters::into_params(|| None));
        knows::<RandomNames>(schema::FilterParameters::into_params(|| None));
    }
}

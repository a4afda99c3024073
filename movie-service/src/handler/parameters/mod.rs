//! Query strings of movie-service's routes.

mod list;
#[cfg(test)]
mod tests;
pub(super) mod values;

pub use self::list::{FilterParameters, PageParameters};

/// The query of the list, for tests.
#[cfg(test)]
pub(crate) fn list_query(query: &str) -> crate::models::query::ListQuery {
    let parameters: (FilterParameters, PageParameters) =
        super::request_validation::query::parse_query(query).expect(query);
    parameters.into()
}

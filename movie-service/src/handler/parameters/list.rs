//! What the list of movies takes, and a random movie.

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    super::request_validation::query::{QueryParameters, lenient},
    values,
};
use crate::models::{
    filter::Filters,
    genre::GenreFilter,
    includes::{Facet, Include},
    query::{ListQuery, MAX_PAGE_SIZE, Order, SortBy},
};

/// What a movie must be. These are strict: what is empty (but for a date), repeated or out of range is refused.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct FilterParameters {
    /// Searches titles and original titles, in any script; case, accents and punctuation do not matter. By relevance
    /// come first titles that are the same, then those that begin with it, then those with words that begin with its
    /// words, and last, when those are fewer than 20, the 500 most popular similar titles: words of 4 letters may have
    /// one wrong letter and those of 6 two, a space may be missing or too many, and when nothing is found, one word of
    /// several may be missing. Popularity breaks ties. `shawshenk redemtion` finds The Shawshank Redemption.
    #[serde(deserialize_with = "values::search")]
    #[param(pattern = r"\S", max_length = 200)]
    q: Option<String>,
    /// Has these genres: names in any case, or ids; all with `,`, any with `|`; such as `Drama,War`.
    #[serde(deserialize_with = "values::genres")]
    #[param(
        value_type = Option<String>,
        pattern = "^[^,|]+(,[^,|]+){0,19}$|^[^,|]+([|][^,|]+){1,19}$"
    )]
    with_genres: Option<GenreFilter>,
    /// Has not all (`,`) or not any (`|`) of these genres; such as `Horror|Thriller`.
    #[serde(deserialize_with = "values::genres")]
    #[param(
        value_type = Option<String>,
        pattern = "^[^,|]+(,[^,|]+){0,19}$|^[^,|]+([|][^,|]+){1,19}$"
    )]
    without_genres: Option<GenreFilter>,
    /// The original language (ISO 639-1), in any case; such as `fr`.
    #[serde(deserialize_with = "values::language")]
    #[param(pattern = "^[A-Za-z]{2,3}$")]
    with_original_language: Option<String>,
    /// The year of release.
    #[serde(deserialize_with = "values::year")]
    #[param(minimum = 1, maximum = 9999)]
    year: Option<i32>,
    /// Released on this day or later, `YYYY-MM-DD`, such as `2024-01-01`; empty counts as left out.
    #[serde(deserialize_with = "values::date")]
    #[param(value_type = Option<String>, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
    release_date_from: Option<NaiveDate>,
    /// Released on this day or earlier, `YYYY-MM-DD`, such as `2024-01-01`; empty counts as left out.
    #[serde(deserialize_with = "values::date")]
    #[param(value_type = Option<String>, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
    release_date_to: Option<NaiveDate>,
    /// Rated this or better. A movie without votes has no rating.
    #[serde(deserialize_with = "values::average")]
    #[param(minimum = 0, maximum = 10)]
    vote_average_gte: Option<f64>,
    /// Rated this or worse.
    #[serde(deserialize_with = "values::average")]
    #[param(minimum = 0, maximum = 10)]
    vote_average_lte: Option<f64>,
    /// At least so many votes.
    #[serde(deserialize_with = "values::count")]
    #[param(minimum = 0, maximum = 2147483647)]
    vote_count_gte: Option<i32>,
    /// At least so many minutes long.
    #[serde(deserialize_with = "values::count")]
    #[param(minimum = 0, maximum = 2147483647)]
    runtime_gte: Option<i32>,
    /// At most so many minutes long.
    #[serde(deserialize_with = "values::count")]
    #[param(minimum = 0, maximum = 2147483647)]
    runtime_lte: Option<i32>,
    /// At least as popular.
    #[serde(deserialize_with = "values::popularity")]
    #[param(minimum = 0)]
    popularity_gte: Option<f64>,
    /// One of these movies: up to 100 ids, separated by `,`; such as `1,2,3`.
    #[serde(deserialize_with = "values::ids")]
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,99}$")]
    ids: Option<Vec<i32>>,
}

/// Which part of the movies is listed, and what is said of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// By default `relevance` with `q`, which it needs, else `popularity`; anything else means the same. Movies without
    /// the value come last in both orders; those with the same value are sorted by id, in the same direction. A movie
    /// without votes has no `vote_average`.
    // No default here: pages that send it would sort a search by popularity.
    #[serde(deserialize_with = "lenient")]
    #[param(inline)]
    sort_by: Option<SortBy>,
    /// `desc` or `asc`; anything else means `desc`.
    #[serde(deserialize_with = "lenient")]
    #[param(inline)]
    order: Option<Order>,
    /// The page, counted from 1; anything else means 1.
    #[serde(deserialize_with = "lenient")]
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
    /// Movies on a page, 1 to 100; anything else means 20.
    #[serde(deserialize_with = "lenient")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    page_size: Option<i64>,
    /// Where to go on: the `next_cursor` of an answer to the same query, whose `page_size`, `include` and `facets` may
    /// differ. Movies that come or go meanwhile neither repeat others nor hide them. `page` does not count with it.
    #[serde(deserialize_with = "values::cursor")]
    #[param(pattern = "^[A-Za-z0-9_-]+$", max_length = 4096)]
    cursor: Option<String>,
    /// More fields of each movie, as in its detail; separated by `,`, each once, such as `genres,overview`.
    #[serde(deserialize_with = "values::named")]
    #[param(
        value_type = Option<String>,
        pattern = "^(genres|overview|original_title|language|duration|backdrop_url|vote_average|vote_count|tmdb_id|locked_fields|created_at|updated_at)(,(genres|overview|original_title|language|duration|backdrop_url|vote_average|vote_count|tmdb_id|locked_fields|created_at|updated_at)){0,11}$"
    )]
    include: Option<Vec<Include>>,
    /// Counts of the movies that match, by these; separated by `,`, each once, such as `genres,year`.
    #[serde(deserialize_with = "values::named")]
    #[param(
        value_type = Option<String>,
        pattern = "^(genres|language|year)(,(genres|language|year)){0,2}$"
    )]
    facets: Option<Vec<Facet>>,
}

/// A random movie has no page: paging and sorting make no difference.
impl QueryParameters for FilterParameters {
    const IGNORED: &'static [&'static str] = &["sort_by", "order", "page", "page_size", "cursor", "include", "facets"];
}

impl QueryParameters for (FilterParameters, PageParameters) {
    const ORIGINAL: Option<&'static [&'static str]> =
        Some(&["page", "page_size", "sort_by", "order", "release_date_from", "release_date_to"]);
}

impl From<FilterParameters> for ListQuery {
    fn from(parameters: FilterParameters) -> Self {
        Self {
            sort_by: if parameters.q.is_some() { SortBy::Relevance } else { SortBy::Popularity },
            from: parameters.release_date_from,
            to: parameters.release_date_to,
            filters: Filters {
                with_genres: parameters.with_genres,
                without_genres: parameters.without_genres,
                original_language: parameters.with_original_language,
                year: parameters.year,
                vote_average_gte: parameters.vote_average_gte,
                vote_average_lte: parameters.vote_average_lte,
                vote_count_gte: parameters.vote_count_gte,
                runtime_gte: parameters.runtime_gte,
                runtime_lte: parameters.runtime_lte,
                popularity_gte: parameters.popularity_gte,
                ids: parameters.ids,
                q: parameters.q,
            },
            ..Self::default()
        }
    }
}

impl From<(FilterParameters, PageParameters)> for ListQuery {
    fn from((filters, parameters): (FilterParameters, PageParameters)) -> Self {
        let default = Self::from(filters);
        let size = parameters.page_size.filter(|size| (1..=MAX_PAGE_SIZE).contains(size));
        Self {
            page: parameters.page.filter(|page| *page >= 1).unwrap_or(default.page),
            page_size: size.unwrap_or(default.page_size),
            sort_by: parameters.sort_by.filter(|by| *by != SortBy::Relevance).unwrap_or(default.sort_by),
            order: parameters.order.unwrap_or(default.order),
            cursor: parameters.cursor,
            include: parameters.include.unwrap_or_default(),
            facets: parameters.facets.unwrap_or_default(),
            ..default
        }
    }
}

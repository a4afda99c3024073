//! The parameters that say which movies are wanted.

use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::{
    numbers::{number, whole},
    request_validation::query,
};
use crate::models::list_request::{GenreChoice, MovieFilter};

/// Most genres in a choice, as in movie-service.
const MAX_GENRES: usize = 20;
/// Most movies that a request may exclude.
const MAX_EXCLUDED: usize = 500;

/// Which movies are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct FilterQuery {
    /// Only movies that have these genres: names in any case, or ids; all with `,`, any with `|`.
    #[serde(deserialize_with = "genres")]
    #[param(value_type = String, required = false, pattern = "^[^,|]+(,[^,|]+){0,19}$|^[^,|]+([|][^,|]+){1,19}$", example = "Drama|War")]
    with_genres: Option<GenreChoice>,
    /// Only movies that have not all (`,`) or not any (`|`) of these genres.
    #[serde(deserialize_with = "genres")]
    #[param(value_type = String, required = false, pattern = "^[^,|]+(,[^,|]+){0,19}$|^[^,|]+([|][^,|]+){1,19}$", example = "Horror")]
    without_genres: Option<GenreChoice>,
    /// Only movies of this year or later.
    #[serde(deserialize_with = "year")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 9999, example = 1980)]
    year_gte: Option<i32>,
    /// Only movies of this year or earlier.
    #[serde(deserialize_with = "year")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 9999, example = 2030)]
    year_lte: Option<i32>,
    /// Only movies of at most so many minutes.
    #[serde(deserialize_with = "minutes")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 65_535, example = 150)]
    runtime_lte: Option<u16>,
    /// Only movies in this original language (ISO 639-1), in any case.
    #[serde(deserialize_with = "language")]
    #[param(value_type = String, required = false, pattern = "^[A-Za-z]{2,3}$", example = "en")]
    with_original_language: Option<String>,
    /// Only movies with this average vote or a higher one.
    #[serde(deserialize_with = "vote")]
    #[param(value_type = f64, required = false, minimum = 0, maximum = 10, example = 6)]
    vote_average_gte: Option<f64>,
    /// Ids of movies to leave out, at most 500.
    #[serde(deserialize_with = "ids")]
    #[param(value_type = String, required = false, pattern = "^[0-9]+(,[0-9]+){0,499}$", example = "3,14")]
    exclude_ids: Option<Vec<i32>>,
}

impl From<FilterQuery> for MovieFilter {
    fn from(query: FilterQuery) -> Self {
        Self {
            with_genres: query.with_genres,
            without_genres: query.without_genres,
            year_gte: query.year_gte,
            year_lte: query.year_lte,
            runtime_lte: query.runtime_lte,
            with_original_language: query.with_original_language,
            vote_average_gte: query.vote_average_gte,
            exclude_ids: query.exclude_ids.unwrap_or_default(),
        }
    }
}

fn genres<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<GenreChoice>, D::Error> {
    query::strict(deserializer, "genres separated by , or by |, at most 20", |text| {
        let all = !text.contains('|');
        let genres: Vec<String> =
            text.split(if all { ',' } else { '|' }).map(|genre| genre.trim().to_owned()).collect();
        let is_genre = |genre: &String| !genre.is_empty() && !genre.contains(',');
        (genres.len() <= MAX_GENRES && genres.iter().all(is_genre)).then_some(GenreChoice { genres, all })
    })
}

fn year<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    query::strict(deserializer, "a year from 1 to 9999", |text| whole(text, 1, 9999))
}

fn minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    query::strict(deserializer, "a number of minutes from 1 to 65535", |text| whole(text, 1, u16::MAX))
}

fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    query::strict(deserializer, "a language code such as en", |text| {
        let is_code = (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_code.then(|| text.to_ascii_lowercase())
    })
}

fn vote<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    query::strict(deserializer, "a number from 0 to 10", |text| number(text, 10.0))
}

fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<i32>>, D::Error> {
    query::strict(deserializer, "ids of movies separated by commas, at most 500", |text| {
        let mut ids = text.split(',').map(|id| whole(id, 1, i32::MAX)).collect::<Option<Vec<i32>>>()?;
        ids.sort_unstable();
        ids.dedup();
        (ids.len() <= MAX_EXCLUDED).then_some(ids)
    })
}

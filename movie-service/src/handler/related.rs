//! Ways to movies other than the list: by their id at TMDB, and by another movie.

use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::HeaderMap,
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::{
        self,
        movie::{MovieId, MovieIdError, TmdbId, date_text},
    },
};

use super::{
    conditional,
    parameters::values,
    request_validation::query::{QueryParameters, ValidQuery},
    responses::{InvalidSimilarRequest, InvalidTmdbId, MovieNotFound, ServerErrors},
    views::{MovieDetail, POSTER_PREFIX, image_url},
};

const DEFAULT_LIMIT: i32 = 10;

/// How many similar movies are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct SimilarParameters {
    /// Most movies that are wanted, 1 to 50; 10 when left out
    #[serde(deserialize_with = "values::limit::<50, _>")]
    #[param(minimum = 1, maximum = 50, example = 10)]
    limit: Option<i32>,
}

impl QueryParameters for SimilarParameters {}

/// Movies like another one.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarMovies {
    /// The movie that they are like.
    #[schema(example = 1, minimum = 1)]
    pub movie_id: i32,
    /// The best first.
    pub similar: Vec<SimilarMovie>,
}

/// A movie like another one.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarMovie {
    /// The platform's own id.
    #[schema(example = 2, minimum = 1)]
    pub id: i32,
    /// Its title.
    #[schema(example = "The Matrix Reloaded")]
    pub title: String,
    /// `YYYY-MM-DD`, or empty when unknown.
    #[schema(example = "2003-05-15")]
    pub release_date: String,
    /// TMDB's popularity; 0 when unknown.
    #[schema(example = 60.1)]
    pub popularity: f64,
    /// The address of its poster, or empty.
    #[schema(example = "https://image.tmdb.org/t/p/w500/poster.jpg")]
    pub poster_url: String,
    /// The similarity, 0 to 1.
    #[schema(example = 0.8623, minimum = 0, maximum = 1)]
    pub score: f64,
    /// What the score is made of, for people.
    #[schema(example = json!(["shares Action, Science Fiction", "same language", "released within 5 years", "well rated by many"]))]
    pub why: Vec<String>,
}

impl From<models::similar::SimilarMovies> for SimilarMovies {
    fn from(movies: models::similar::SimilarMovies) -> Self {
        let similar = movies.similar.into_iter().map(|movie| SimilarMovie {
            id: movie.id,
            title: movie.title,
            release_date: date_text(movie.release_date),
            popularity: movie.popularity.unwrap_or_default(),
            poster_url: image_url(POSTER_PREFIX, movie.poster_path),
            score: movie.score,
            why: movie.why,
        });
        Self { movie_id: movies.movie_id, similar: similar.collect() }
    }
}

/// A movie by its id at TMDB
///
/// The same answer as under the platform's own id.
#[utoipa::path(
    get,
    path = "/api/v1/movies/tmdb/{tmdb_id}",
    operation_id = "getMovieByTmdbId",
    tag = "movies",
    params(
        ("tmdb_id" = i32, Path, description = "TMDB's id", minimum = 1, example = 603),
        conditional::Conditions,
    ),
    responses(
        (status = 200, description = "The movie", body = MovieDetail,
            headers(("ETag" = String, description = "Changes with the answer"),
                ("Cache-Control" = String, description = "`no-cache`: may be kept, but not used without asking"))),
        conditional::ReadResponses,
        (status = 400, response = InvalidTmdbId),
        (status = 404, response = MovieNotFound),
        ServerErrors,
    )
)]
pub async fn by_tmdb_id(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id = id.map_err(|_| MovieIdError::NotANumber).and_then(|Path(id)| TmdbId::parse(&id)).map_err(tmdb_id_error)?;
    let movie = app.movies.by_tmdb_id::<MovieDetail>(id).await?;
    Ok(conditional::answer(&headers, movie.ok_or(MovieIdError::NoSuchMovie)?))
}

/// Similar movies
///
/// The best first, those with the same score by popularity, then by id. Only movies that share a genre are similar; to
/// a movie without genres those that share its language or its time are. The score is the sum of 0.5 x genres (shared
/// ones divided by all that either has), 0.15 x language (1 when it is the same), 0.2 x era (1 on the same day,
/// falling to 0 at 20 years) and 0.15 x votes (the average vote, drawn towards 6 with the weight of 500 votes, divided
/// by 10), rounded to 4 decimals. For a movie without genres it is language and era alone, in the same proportion. In
/// a catalogue of more than 10,000 movies, those compared are the 1,000 released next before and the 1,000 next after,
/// the 500 rated best by 100 votes or more and released within 20 years, the 500 most popular in the same language,
/// and the latest 250 of each of its genres.
#[utoipa::path(
    get,
    path = "/api/v1/movies/{id}/similar",
    operation_id = "listSimilarMovies",
    tag = "movies",
    params(
        ("id" = i32, Path, description = "The platform's own id, not TMDB's", minimum = 1, example = 1),
        SimilarParameters,
        conditional::Conditions,
    ),
    responses(
        (status = 200, description = "The similar movies", body = SimilarMovies,
            headers(("ETag" = String, description = "Changes with the answer"),
                ("Cache-Control" = String, description = "`no-cache`: may be kept, but not used without asking"))),
        conditional::ReadResponses,
        (status = 400, response = InvalidSimilarRequest),
        (status = 404, response = MovieNotFound),
        ServerErrors,
    )
)]
pub async fn similar(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    query: Result<ValidQuery<SimilarParameters>, ApiError>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(id) = id.map_err(|_| MovieIdError::NotANumber)?;
    let id = MovieId::parse(&id)?;
    let limit = query?.0.limit.unwrap_or(DEFAULT_LIMIT);
    let similar = app.movies.similar::<SimilarMovies>(id, limit).await?;
    Ok(conditional::answer(&headers, similar.ok_or(MovieIdError::NoSuchMovie)?))
}

fn tmdb_id_error(error: MovieIdError) -> ApiError {
    match error {
        MovieIdError::NotANumber => ApiError::bad_request(ErrorCode::InvalidTmdbId, "invalid TMDB ID").field("tmdb_id"),
        MovieIdError::NoSuchMovie => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::request_validation::query::parse_query, *};

    fn limit(query: &str) -> Result<i32, ApiError> {
        Ok(parse_query::<SimilarParameters>(query)?.limit.unwrap_or(DEFAULT_LIMIT))
    }

    #[test]
    fn a_limit_is_left_out_or_right() {
        for (query, expected) in [("", 10), ("limit=1", 1), ("limit=50", 50), ("limit=%30%37", 7)] {
            assert_eq!(limit(query), Ok(expected), "{query}");
        }
        let long = format!("limit={}", "1".repeat(10_000));
        for query in [
            "limit",
            "limit=",
            "limit=0",
            "limit=51",
            "limit=-1",
            "limit=+5",
            "limit=1.0",
            "limit=NaN",
            "limit=256",
            "limit=5%00",
            "limit=%ff",
            "limit=%zz",
            "limit=1&limit=1",
            "limit= 5",
            &long,
        ] {
            let error = limit(query).expect_err(query).into_body();
            assert_eq!(error.field.as_deref(), Some("limit"), "{query}");
        }
    }
}

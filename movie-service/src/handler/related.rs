//! Ways to movies other than the list: by their id at TMDB, and by another movie.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::HeaderMap,
    response::Response,
};

use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::{
        movie::{MovieDetail, MovieId, MovieIdError, TmdbId},
        similar::{Limit, SimilarMovies},
    },
};

use super::{
    conditional,
    parameter_names::SimilarNames,
    request_validation::query::parse_query,
    responses::{InvalidSimilarRequest, InvalidTmdbId, MovieNotFound, ServerErrors},
};

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
    let movie = app.movies.by_tmdb_id(id).await?;
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
        ("limit" = Option<i32>, Query, description = "Most movies that are wanted, 1 to 50; 10 when left out", minimum = 1, maximum = 50, example = 10),
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
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(id) = id.map_err(|_| MovieIdError::NotANumber)?;
    let (id, query) = (MovieId::parse(&id)?, query.unwrap_or_default());
    parse_query::<SimilarNames>(&query)?;
    let limit = Limit::parse(&query)?;
    let similar = app.movies.similar(id, limit).await?;
    Ok(conditional::answer(&headers, similar.ok_or(MovieIdError::NoSuchMovie)?))
}

fn tmdb_id_error(error: MovieIdError) -> ApiError {
    match error {
        MovieIdError::NotANumber => ApiError::bad_request(ErrorCode::InvalidTmdbId, "invalid TMDB ID").field("tmdb_id"),
        MovieIdError::NoSuchMovie => error.into(),
    }
}

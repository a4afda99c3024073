//! The list and the details of movies.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};

use crate::{
    App,
    error::{ApiError, ErrorBody},
    middleware::json_bytes,
    models::{
        movie::{MovieDetail, MovieId, MovieIdError, MoviePage},
        query::{InvalidDate, ListQuery},
    },
    service::movies::Unavailable,
};

use super::schema::ListParameters;

/// List movies
///
/// Page by page, sorted and filtered by date of release.
#[utoipa::path(
    get,
    path = "/api/v1/movies",
    tag = "movies",
    params(ListParameters),
    responses(
        (status = 200, description = "The page", body = MoviePage),
        (status = 400, description = "A date that is not `YYYY-MM-DD`", body = ErrorBody),
        (status = 503, description = "The database does not answer", body = ErrorBody),
        (status = 504, description = "It took too long", body = ErrorBody),
    )
)]
pub async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = ListQuery::parse(query.as_deref().unwrap_or_default())?;
    Ok(json_bytes(StatusCode::OK, app.movies.list(query).await?))
}

/// A movie
#[utoipa::path(
    get,
    path = "/api/v1/movies/{id}",
    tag = "movies",
    params(("id" = i32, Path, description = "The platform's own id, not TMDB's", minimum = 1, example = 1)),
    responses(
        (status = 200, description = "The movie", body = MovieDetail),
        (status = 400, description = "The id is not a number", body = ErrorBody),
        (status = 404, description = "There is no such movie", body = ErrorBody),
        (status = 503, description = "The database does not answer", body = ErrorBody),
        (status = 504, description = "It took too long", body = ErrorBody),
    )
)]
pub async fn detail(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    // An id that does not even decode is not a number either.
    let Path(id) = id.map_err(|_| MovieIdError::NotANumber)?;
    let movie = app.movies.detail(MovieId::parse(&id)?).await?;
    Ok(json_bytes(StatusCode::OK, movie.ok_or(MovieIdError::NoSuchMovie)?))
}

impl From<InvalidDate> for ApiError {
    fn from(InvalidDate(name): InvalidDate) -> Self {
        Self::bad_request("invalid_date", format!("invalid {name}, expected YYYY-MM-DD")).field(name)
    }
}

impl From<MovieIdError> for ApiError {
    fn from(error: MovieIdError) -> Self {
        match error {
            MovieIdError::NotANumber => Self::bad_request("invalid_movie_id", "invalid movie ID").field("id"),
            MovieIdError::NoSuchMovie => Self::not_found("movie_not_found", "movie not found"),
        }
    }
}

impl From<Unavailable> for ApiError {
    fn from(_: Unavailable) -> Self {
        Self::unavailable("database unavailable")
    }
}

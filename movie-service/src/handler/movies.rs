//! The list and the details of movies.

use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, header::CACHE_CONTROL},
    response::Response,
};

use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::{
        genre::UnknownGenre,
        movie::{MovieId, MovieIdError},
    },
    service::error::{ListError, Unavailable},
};

use super::{
    conditional,
    parameters::{FilterParameters, PageParameters, values::CURSOR},
    request_validation::query::{ValidQuery, invalid_parameter},
    responses::{InvalidFilter, MovieErrors, NoMovieMatches, ServerErrors},
    views::{MovieDetail, MoviePage},
};

/// List movies
///
/// Page by page, sorted and filtered. Filters can be combined; a movie must pass them all, and one whose value is unknown
/// does not pass a filter by that value.
#[utoipa::path(
    get,
    path = "/api/v1/movies",
    operation_id = "listMovies",
    tag = "movies",
    params(
        FilterParameters,
        PageParameters,
        conditional::Conditions,
    ),
    responses(
        (status = 200, description = "The page", body = MoviePage,
            headers(("ETag" = String, description = "Changes with the answer"),
                ("Cache-Control" = String, description = "`no-cache`: may be kept, but not used without asking"))),
        conditional::ReadResponses,
        (status = 400, response = InvalidFilter),
        ServerErrors,
    )
)]
pub async fn list(
    State(app): State<Arc<App>>,
    ValidQuery(query): ValidQuery<(FilterParameters, PageParameters)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    Ok(conditional::answer(&headers, app.movies.list::<MoviePage>(query.into()).await?))
}

/// Any movie
///
/// One of the movies that pass the filters, each as likely as the others, another one each time.
#[utoipa::path(
    get,
    path = "/api/v1/movies/random",
    operation_id = "getRandomMovie",
    tag = "movies",
    params(FilterParameters),
    responses(
        (status = 200, description = "The movie", body = MovieDetail,
            headers(("ETag" = String, description = "Changes with the movie"),
                ("Cache-Control" = String, description = "`no-store`: the next answer is another one"))),
        (status = 400, response = InvalidFilter),
        (status = 404, response = NoMovieMatches),
        ServerErrors,
    )
)]
pub async fn random(
    State(app): State<Arc<App>>,
    ValidQuery(query): ValidQuery<FilterParameters>,
) -> Result<Response, ApiError> {
    let movie = app.movies.random::<MovieDetail>(query.into()).await?;
    let movie = movie.ok_or(ApiError::not_found(ErrorCode::NoMovieMatches, "no movie matches"))?;
    // Whatever is there already: another one is wanted.
    let mut response = conditional::answer(&HeaderMap::new(), movie);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A movie
///
/// Everything that is known about it.
#[utoipa::path(
    get,
    path = "/api/v1/movies/{id}",
    operation_id = "getMovie",
    tag = "movies",
    params(
        ("id" = i32, Path, description = "The platform's own id, not TMDB's", minimum = 1, example = 1),
        conditional::Conditions,
    ),
    responses(
        (status = 200, description = "The movie", body = MovieDetail,
            headers(("ETag" = String, description = "Changes with the answer"),
                ("Cache-Control" = String, description = "`no-cache`: may be kept, but not used without asking"))),
        conditional::ReadResponses,
        MovieErrors,
        ServerErrors,
    )
)]
pub async fn detail(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // An id that does not even decode is not a number either.
    let Path(id) = id.map_err(|_| MovieIdError::NotANumber)?;
    let movie = app.movies.detail::<MovieDetail>(MovieId::parse(&id)?).await?;
    Ok(conditional::answer(&headers, movie.ok_or(MovieIdError::NoSuchMovie)?))
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Unavailable(unavailable) => unavailable.into(),
            ListError::InvalidCursor => invalid_parameter("cursor", ErrorCode::InvalidCursor, CURSOR),
            ListError::UnknownGenre(UnknownGenre { parameter, known }) => {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Self::bad_request(ErrorCode::UnknownGenre, format!("unknown genre in {parameter}, known are: {known}"))
                    .field(parameter)
            }
        }
    }
}

impl From<MovieIdError> for ApiError {
    fn from(error: MovieIdError) -> Self {
        match error {
            MovieIdError::NotANumber => Self::bad_request(ErrorCode::InvalidMovieId, "invalid movie ID").field("id"),
            MovieIdError::NoSuchMovie => Self::not_found(ErrorCode::MovieNotFound, "movie not found"),
        }
    }
}

impl From<Unavailable> for ApiError {
    fn from(_: Unavailable) -> Self {
        Self::unavailable("database unavailable")
    }
}

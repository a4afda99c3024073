//! The list and the details of movies.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, header::CACHE_CONTROL},
    response::Response,
};

use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::{
        genre::UnknownGenre,
        movie::{MovieDetail, MovieId, MovieIdError, MoviePage},
        parameters::InvalidParameter,
        query::ListQuery,
    },
    service::error::{ListError, Unavailable},
};

use super::{
    conditional,
    parameter_names::{ListNames, RandomNames},
    request_validation::query::parse_query,
    responses::{InvalidFilter, MovieErrors, NoMovieMatches, ServerErrors},
    schema::{FilterParameters, ListParameters},
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
        ListParameters,
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
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = query.unwrap_or_default();
    parse_query::<ListNames>(&query)?;
    let query = ListQuery::parse(&query)?;
    Ok(conditional::answer(&headers, app.movies.list(query).await?))
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
pub async fn random(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = query.unwrap_or_default();
    parse_query::<RandomNames>(&query)?;
    let query = ListQuery::parse_filters(&query)?;
    let movie =
        app.movies.random(query).await?.ok_or(ApiError::not_found(ErrorCode::NoMovieMatches, "no movie matches"))?;
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
    let movie = app.movies.detail(MovieId::parse(&id)?).await?;
    Ok(conditional::answer(&headers, movie.ok_or(MovieIdError::NoSuchMovie)?))
}

impl From<InvalidParameter> for ApiError {
    fn from(InvalidParameter { name, code, expected }: InvalidParameter) -> Self {
        Self::bad_request(code, format!("invalid {name}, expected {expected}")).field(name)
    }
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Unavailable(unavailable) => unavailable.into(),
            ListError::InvalidCursor => InvalidParameter::cursor().into(),
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

//! Creating, replacing, changing and deleting movies.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    middleware::json_bytes,
    models::{
        draft::{BodyError, InvalidField},
        movie::{Movie, MovieIdError},
    },
    service::{error::ListError, movie_editor::EditError, movies::json},
};

use super::{
    conditional::etag,
    request::{IfMatch, MoviePath, Precondition},
    request_validation::body::{JsonBody, invalid_body},
    responses::{MovieChanged, MovieErrors, ServerErrors, WriteErrors},
    views::MovieDetail,
    write_schema::{MovieBody, MoviePatch},
};

/// Create a movie
///
/// Fields that the body sets are locked: a later sync leaves them alone. `locked_fields` says otherwise.
#[utoipa::path(
    post,
    path = "/api/v1/movies",
    operation_id = "createMovie",
    tag = "movies",
    request_body(content = MovieBody, example = json!({"title": "The Example", "release_date": "2026-01-31", "genres": ["Drama"]})),
    responses(
        (status = 201, description = "Created", body = MovieDetail, headers(
            ("Location" = String, description = "`/api/v1/movies/{id}`"),
            ("ETag" = String, description = "The tag of this body"),
        )),
        WriteErrors,
        ServerErrors,
    )
)]
pub async fn create(State(app): State<Arc<App>>, JsonBody(body): JsonBody<MovieBody>) -> Result<Response, ApiError> {
    let movie = app.movie_editor.create(body.check()?).await?;
    let location = [(header::LOCATION, format!("/api/v1/movies/{}", movie.id))];
    Ok((location, answer(StatusCode::CREATED, movie)).into_response())
}

/// Replace a movie
///
/// What the body leaves out is unknown afterwards; only `tmdb_id` stays. The fields that it changes are locked too, unless
/// `locked_fields` says otherwise. What was read can be put back: that changes nothing.
#[utoipa::path(
    put,
    path = "/api/v1/movies/{id}",
    operation_id = "replaceMovie",
    tag = "movies",
    params(
        ("id" = i32, Path, description = "The platform's own id, not TMDB's", minimum = 1),
        Precondition,
    ),
    request_body(content = MovieBody, example = json!({"title": "The Example", "genres": ["Drama", "War"], "duration": 100})),
    responses(
        (status = 200, description = "The movie as it is now", body = MovieDetail,
            headers(("ETag" = String, description = "The tag of this body"))),
        MovieErrors,
        (status = 412, response = MovieChanged),
        WriteErrors,
        ServerErrors,
    )
)]
pub async fn replace(
    State(app): State<Arc<App>>,
    MoviePath(id): MoviePath,
    if_match: IfMatch,
    JsonBody(body): JsonBody<MovieBody>,
) -> Result<Response, ApiError> {
    Ok(answer(
        StatusCode::OK,
        app.movie_editor.replace(id, body.check()?, move |movie: &Movie| if_match.allows(movie)).await?,
    ))
}

/// Change a movie
///
/// A JSON merge patch (RFC 7396): what it leaves out stays, and null resets. The fields it sets are locked too, unless
/// `locked_fields` says otherwise. One that changes nothing leaves `updated_at` alone.
#[utoipa::path(
    patch,
    path = "/api/v1/movies/{id}",
    operation_id = "updateMovie",
    tag = "movies",
    params(
        ("id" = i32, Path, description = "The platform's own id, not TMDB's", minimum = 1),
        Precondition,
    ),
    request_body(content(
        (MoviePatch = "application/merge-patch+json", example = json!({"overview": "A film that nobody made."})),
        (MoviePatch = "application/json", example = json!({"overview": "A film that nobody made."})),
    )),
    responses(
        (status = 200, description = "The movie as it is now", body = MovieDetail,
            headers(("ETag" = String, description = "The tag of this body"))),
        MovieErrors,
        (status = 412, response = MovieChanged),
        WriteErrors,
        ServerErrors,
    )
)]
pub async fn patch(
    State(app): State<Arc<App>>,
    MoviePath(id): MoviePath,
    if_match: IfMatch,
    JsonBody(body): JsonBody<MoviePatch>,
) -> Result<Response, ApiError> {
    Ok(answer(
        StatusCode::OK,
        app.movie_editor.patch(id, body.check()?, move |movie: &Movie| if_match.allows(movie)).await?,
    ))
}

/// Delete a movie
///
/// With `If-Match`, only if it has not changed since it was read.
#[utoipa::path(
    delete,
    path = "/api/v1/movies/{id}",
    operation_id = "deleteMovie",
    tag = "movies",
    params(
        ("id" = i32, Path, description = "The platform's own id, not TMDB's", minimum = 1),
        Precondition,
    ),
    responses(
        (status = 204, description = "Deleted"),
        MovieErrors,
        (status = 412, response = MovieChanged),
        ServerErrors,
    )
)]
pub async fn delete(
    State(app): State<Arc<App>>,
    MoviePath(id): MoviePath,
    if_match: IfMatch,
) -> Result<StatusCode, ApiError> {
    app.movie_editor.delete(id, move |movie: &Movie| if_match.allows(movie)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn answer(status: StatusCode, movie: Movie) -> Response {
    let json = json::<_, MovieDetail>(movie);
    ([(header::ETAG, etag(&json))], json_bytes(status, json.body)).into_response()
}

impl From<InvalidField> for ApiError {
    fn from(InvalidField { name, expected }: InvalidField) -> Self {
        Self::bad_request(ErrorCode::InvalidField, format!("invalid {name}, expected {expected}")).field(name)
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Malformed { field: None } => invalid_body(),
            BodyError::Malformed { field: Some(field) } => invalid_body().field(field),
            BodyError::Field(field) => field.into(),
        }
    }
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NotFound => MovieIdError::NoSuchMovie.into(),
            EditError::Changed => {
                Self::new(StatusCode::PRECONDITION_FAILED, ErrorCode::PreconditionFailed, "the movie has changed")
            }
            EditError::TmdbIdTaken => tmdb_id_taken(),
            EditError::UnknownGenre(unknown) => ListError::UnknownGenre(unknown).into(),
            EditError::Unavailable => Self::unavailable("database unavailable"),
            EditError::Unconfirmed => unconfirmed(),
        }
    }
}

/// 409.
pub(super) fn tmdb_id_taken() -> ApiError {
    ApiError::conflict(ErrorCode::TmdbIdExists, "tmdb_id already exists").field("tmdb_id")
}

/// 504. Not 503: that would promise that nothing was done.
pub(super) fn unconfirmed() -> ApiError {
    let text = "the database did not answer in time; the change may have been made";
    ApiError::new(StatusCode::GATEWAY_TIMEOUT, ErrorCode::Unconfirmed, text)
}

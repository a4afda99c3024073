//! The genres.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};

use crate::{
    App,
    error::{ApiError, ErrorBody},
    middleware::json_bytes,
    models::genre::GenreList,
};

/// List genres
///
/// By name, each with the number of its movies. Names and ids are those that `with_genres` and `without_genres` take.
#[utoipa::path(
    get,
    path = "/api/v1/genres",
    tag = "movies",
    responses(
        (status = 200, description = "All genres", body = GenreList),
        (status = 503, description = "The database does not answer", body = ErrorBody),
        (status = 504, description = "It took too long", body = ErrorBody),
    )
)]
pub async fn list(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    Ok(json_bytes(StatusCode::OK, app.movies.genres().await?))
}

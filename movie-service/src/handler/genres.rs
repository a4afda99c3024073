//! The genres.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, error::ApiError, models::genre::GenreSummary};

use super::{conditional, responses::ServerErrors};

/// All genres.
#[derive(Debug, Serialize, ToSchema)]
pub struct GenreList {
    /// By name.
    pub genres: Vec<GenreSummary>,
}

impl From<Vec<GenreSummary>> for GenreList {
    fn from(genres: Vec<GenreSummary>) -> Self {
        Self { genres }
    }
}

/// List genres
///
/// By name, each with the number of its movies. Names and ids are those that `with_genres` and `without_genres` take.
#[utoipa::path(
    get,
    path = "/api/v1/genres",
    operation_id = "listGenres",
    tag = "movies",
    params(conditional::Conditions),
    responses(
        (status = 200, description = "All genres", body = GenreList,
            headers(("ETag" = String, description = "Changes with the answer"),
                ("Cache-Control" = String, description = "`no-cache`: may be kept, but not used without asking"))),
        conditional::ReadResponses,
        ServerErrors,
    )
)]
pub async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    Ok(conditional::answer(&headers, app.movies.genres::<GenreList>().await?))
}

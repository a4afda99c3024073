//! `/internal/v1/users/{id}/profile`, for recommendation-service.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::{
    extract::UserPath,
    responses::{ServerErrors, UserErrors},
};
use crate::{App, error::ApiError, models::profile::Profile};

/// Show what recommendations need to know of a user
///
/// Never from a cache; equal data gives equal bytes.
#[utoipa::path(
    get,
    path = "/internal/v1/users/{id}/profile",
    tag = "internal",
    params(("id" = i64, Path, description = "The user's id", example = 1)),
    responses((status = 200, description = "The profile", body = Profile), UserErrors, ServerErrors)
)]
pub async fn get_profile(State(app): State<Arc<App>>, UserPath(id): UserPath) -> Result<Json<Profile>, ApiError> {
    Ok(Json(app.profiles.get(id).await?))
}

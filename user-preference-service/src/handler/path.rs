//! The parameters of a path.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{error::ApiError, error_code::ErrorCode, models::id::PathId};

/// The path of everything that belongs to a user.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// The user's id. A sign or zeros may stand before it.
    #[param(value_type = i64, minimum = 1, example = 1)]
    pub id: PathId,
}

impl<S: Send + Sync> FromRequestParts<S> for UserPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(path),
            Err(_) => Err(ApiError::bad_request(ErrorCode::InvalidUserId, "invalid user ID").field("id")),
        }
    }
}

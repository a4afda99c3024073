//! The parameters of a path.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use utoipa::IntoParams;

use crate::{
    error::ApiError,
    models::user_id::{UserId, UserIdError},
};

/// The path of everything that belongs to a user.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// The user's id. A plus sign or zeros may stand before it.
    #[param(value_type = i64, minimum = 1, example = 1)]
    pub id: UserId,
}

impl<S: Send + Sync> FromRequestParts<S> for UserPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|_| UserIdError::Invalid)?;
        Ok(Self { id: id.parse()? })
    }
}

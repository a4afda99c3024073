//! The parameters of a path.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use utoipa::IntoParams;

use crate::{
    error::ApiError,
    error_code::ErrorCode,
    models::{
        rule::{RuleId, RuleIdError},
        user_id::{UserId, UserIdError},
    },
    service::ServiceError,
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

/// The path of everything that belongs to a movie.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MoviePath {
    /// The movie's id. A plus sign or zeros may stand before it.
    #[param(value_type = i64, minimum = 1, example = 1)]
    pub id: i32,
}

impl<S: Send + Sync> FromRequestParts<S> for MoviePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let invalid = || ApiError::bad_request(ErrorCode::InvalidMovieId, "invalid movie ID").field("id");
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| invalid())?;
        // Ids of users are written the same way.
        match id.parse().map(UserId::get).map(i32::try_from) {
            Ok(Ok(id)) => Ok(Self { id }),
            // It is a number, but no movie has it.
            Ok(Err(_)) | Err(UserIdError::TooLarge) => Err(ServiceError::NoSuchMovie.into()),
            Err(UserIdError::Invalid) => Err(invalid()),
        }
    }
}

/// The path of a rule.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RulePath {
    /// The rule's id. A plus sign or zeros may stand before it.
    #[param(value_type = i64, minimum = 1, example = 1)]
    pub id: RuleId,
}

impl<S: Send + Sync> FromRequestParts<S> for RulePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|_| RuleIdError::Invalid)?;
        Ok(Self { id: id.parse()? })
    }
}

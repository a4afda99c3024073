//! Maps errors of the service to what a client is told.

use axum::http::StatusCode;

use crate::{error::ApiError, error_code::ErrorCode, models::user_id::UserIdError, service::ServiceError};

impl From<UserIdError> for ApiError {
    fn from(error: UserIdError) -> Self {
        match error {
            UserIdError::Invalid => Self::bad_request(ErrorCode::InvalidUserId, "invalid user ID").field("id"),
            // It is a number, but no user has it.
            UserIdError::TooLarge => ServiceError::NoSuchUser.into(),
        }
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        let unavailable = |code, message| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
        match error {
            ServiceError::NoSuchUser => Self::not_found(ErrorCode::UserNotFound, "user not found"),
            ServiceError::NoSuchMember(user) => {
                Self::not_found(ErrorCode::UserNotFound, format!("user {user} not found")).field("users")
            }
            ServiceError::NoSuchMovie => Self::not_found(ErrorCode::MovieNotFound, "movie not found"),
            ServiceError::Cache(_) => unavailable(ErrorCode::CacheUnavailable, "recommendation cache unavailable"),
            ServiceError::NoCatalogue => unavailable(ErrorCode::CatalogueUnavailable, "movie catalogue not loaded yet"),
            ServiceError::Database(_) => unavailable(ErrorCode::Unavailable, "database unavailable"),
        }
    }
}

//! From errors below to what the client is told: the one place where causes become statuses.

use axum::http::StatusCode;

use crate::{
    database::postgres::DatabaseError, error::ApiError, error_code::ErrorCode, models::Invalid, service::ServiceError,
};

const UNAVAILABLE: &str = "the database is unavailable, try again later";
const UNCONFIRMED: &str = "the database did not answer in time; the change may have been made";

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let text = invalid.to_string();
        match invalid {
            Invalid::UsernameAndEmailRequired => Self::bad_request(ErrorCode::UsernameAndEmailRequired, text),
            Invalid::InteractionType(_) => {
                Self::bad_request(ErrorCode::InvalidInteractionType, text).field("interaction_type")
            }
            Invalid::MovieId => Self::bad_request(ErrorCode::InvalidMovieId, text).field("movie_id"),
            Invalid::Field { field, .. } => Self::bad_request(ErrorCode::InvalidField, text).field(field),
        }
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::UserNotFound => Self::not_found(ErrorCode::UserNotFound, "user not found"),
            ServiceError::UsernameTaken => {
                Self::conflict(ErrorCode::UsernameExists, "username already exists").field("username")
            }
            ServiceError::EmailTaken => Self::conflict(ErrorCode::EmailExists, "email already exists").field("email"),
            // Not 503: that would promise that nothing was done.
            ServiceError::Database(DatabaseError::Unconfirmed(_)) => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, ErrorCode::Unconfirmed, UNCONFIRMED)
            }
            ServiceError::Database(_) => Self::unavailable(UNAVAILABLE),
        }
    }
}

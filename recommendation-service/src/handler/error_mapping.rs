//! Maps errors of the service to what a client is told.

use axum::http::StatusCode;

use crate::{
    database::postgres::is_transient_code, error::ApiError, models::user_id::UserIdError, service::ServiceError,
};

impl From<UserIdError> for ApiError {
    fn from(error: UserIdError) -> Self {
        match error {
            UserIdError::Invalid => Self::bad_request("invalid_user_id", "invalid user ID").field("id"),
            // It is a number, but no user has it.
            UserIdError::TooLarge => ServiceError::NoSuchUser.into(),
        }
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        let unavailable = |code, message| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
        match error {
            ServiceError::NoSuchUser => Self::not_found("user_not_found", "user not found"),
            ServiceError::Cache(_) => unavailable("cache_unavailable", "recommendation cache unavailable"),
            ServiceError::NoCatalogue => unavailable("catalogue_unavailable", "movie catalogue not loaded yet"),
            ServiceError::Database(error) => {
                log(&error);
                unavailable("unavailable", "database unavailable")
            }
        }
    }
}

/// A database that is away is a warning; anything else needs somebody to look.
fn log(error: &sqlx::Error) {
    let code = error.as_database_error().and_then(|error| error.code());
    let expected = match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        _ => code.is_some_and(|code| is_transient_code(&code)),
    };
    if expected {
        tracing::warn!(%error, "the database cannot answer");
    } else {
        tracing::error!(%error, "unexpected answer of the database");
    }
}

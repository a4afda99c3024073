//! Maps errors of the service to what a client is told.

use axum::http::StatusCode;

use crate::{
    database::postgres::DatabaseError,
    error::ApiError,
    error_code::ErrorCode,
    models::{experiment::InvalidExperiment, rule::RuleIdError, rule_edit::InvalidRule, user_id::UserIdError},
    service::ServiceError,
};

const UNCONFIRMED: &str = "the database did not answer in time; the change may have been made";

impl From<UserIdError> for ApiError {
    fn from(error: UserIdError) -> Self {
        match error {
            UserIdError::Invalid => Self::bad_request(ErrorCode::InvalidUserId, "invalid user ID").field("id"),
            // It is a number, but no user has it.
            UserIdError::TooLarge => ServiceError::NoSuchUser.into(),
        }
    }
}

impl From<RuleIdError> for ApiError {
    fn from(error: RuleIdError) -> Self {
        match error {
            RuleIdError::Invalid => Self::bad_request(ErrorCode::InvalidRuleId, "invalid rule ID").field("id"),
            // It is a number, but no rule has it.
            RuleIdError::TooLarge => ServiceError::NoSuchRule.into(),
        }
    }
}

impl From<InvalidRule> for ApiError {
    fn from(error: InvalidRule) -> Self {
        Self::bad_request(ErrorCode::InvalidField, error.to_string()).field(error.field)
    }
}

impl From<InvalidExperiment> for ApiError {
    fn from(error: InvalidExperiment) -> Self {
        Self::bad_request(ErrorCode::InvalidField, error.to_string()).field(error.field)
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
            ServiceError::NoSuchList => Self::not_found(ErrorCode::RecommendationNotFound, "recommendation not found"),
            ServiceError::NotInList(event) => {
                let message = format!("invalid events[{event}].movie_id, expected the id of a movie of the list");
                Self::bad_request(ErrorCode::InvalidField, message).field(format!("events[{event}].movie_id"))
            }
            ServiceError::NoListOfUser(parameter) => {
                Self::not_found(ErrorCode::RecommendationNotFound, "recommendation not found").field(parameter)
            }
            ServiceError::NoSuchRule => Self::not_found(ErrorCode::RuleNotFound, "rule not found"),
            ServiceError::RuleTypeTaken => {
                let message = "another active rule of this variant has this rule_type";
                Self::conflict(ErrorCode::RuleExists, message).field("rule_type")
            }
            ServiceError::RuleNameTaken => {
                let message = "another rule of this variant has this name";
                Self::conflict(ErrorCode::RuleNameExists, message).field("name")
            }
            ServiceError::NoSuchTraining => Self::not_found(ErrorCode::TrainingNotFound, "training not found"),
            ServiceError::VariantWithoutRules(field) => {
                let message = format!("invalid {field}, expected a variant that has an active rule");
                Self::bad_request(ErrorCode::InvalidField, message).field(field)
            }
            ServiceError::Cache(_) => unavailable(ErrorCode::CacheUnavailable, "recommendation cache unavailable"),
            ServiceError::NoCatalogue => unavailable(ErrorCode::CatalogueUnavailable, "movie catalogue not loaded yet"),
            // Not 503: that would promise that nothing was done.
            ServiceError::Database(DatabaseError::Unconfirmed(_)) => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, ErrorCode::Unconfirmed, UNCONFIRMED)
            }
            ServiceError::Database(_) => unavailable(ErrorCode::Unavailable, "database unavailable"),
        }
    }
}

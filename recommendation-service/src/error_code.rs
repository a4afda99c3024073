//! The codes of errors.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, for programs. Codes are never renamed; new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The path does not exist.
    NotFound,
    /// The path does not take this method; `Allow` names those that it takes.
    MethodNotAllowed,
    /// The request body did not arrive in time.
    RequestTimeout,
    /// The request body is larger than allowed.
    BodyTooLarge,
    /// The `Content-Encoding` of the body is none of gzip, br and zstd.
    UnsupportedEncoding,
    /// Any other request that cannot be answered.
    RequestFailed,
    /// An error of the service itself; the cause is in its log.
    Internal,
    /// Something that the service needs does not answer; nothing was changed.
    Unavailable,
    /// The request took too long; a change may have been made.
    Timeout,

    /// The body is not one JSON object, or `field` has the wrong type.
    InvalidRequestBody,
    /// The parameter in `field` cannot have this value.
    InvalidParameter,
    /// The parameter in `field` may be given only once.
    RepeatedParameter,
    /// There is no parameter of the name in `field`.
    UnknownParameter,
    /// The field of the body in `field` cannot have this value.
    InvalidField,
    /// The movie's id is not a number above 0.
    InvalidMovieId,
    /// There is no movie with this id.
    MovieNotFound,
    /// No list with this `recommendation_id` is recorded, or it is another user's.
    RecommendationNotFound,
    /// The rule's id is not a number above 0.
    InvalidRuleId,
    /// There is no rule with this id.
    RuleNotFound,
    /// Another active rule of the same variant has this type.
    RuleExists,
    /// Another rule of the same variant has this name.
    RuleNameExists,
    /// The database did not answer in time; the change may have been made.
    Unconfirmed,
    /// The user's id is not a number above 0.
    InvalidUserId,
    /// There is no user with this id.
    UserNotFound,
    /// There is no training with this id.
    TrainingNotFound,
    /// Redis does not answer.
    CacheUnavailable,
    /// The catalogue has not been loaded yet.
    CatalogueUnavailable,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

//! Error responses for the specification, each once. One that another service has too is the same there.
#![expect(dead_code, reason = "only the specification is made from it")]

use utoipa::{IntoResponses, ToResponse};

use crate::error::ErrorBody;

/// Of recommendations.
#[derive(IntoResponses)]
pub enum RecommendationErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidRecommendationRequest),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] UserNotFound),
    /// 503
    #[response(status = 503)]
    Unavailable(#[ref_response] RecommendationsUnavailable),
    /// 504
    #[response(status = 504)]
    Timeout(#[ref_response] Timeout),
}

/// Of the rules.
#[derive(IntoResponses)]
pub enum RuleErrors {
    /// 503
    #[response(status = 503)]
    Unavailable(#[ref_response] DatabaseUnavailable),
    /// 504
    #[response(status = 504)]
    Timeout(#[ref_response] Timeout),
}

/// `invalid user ID`, or a parameter that cannot be used or is unknown
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid user ID", "code": "invalid_user_id", "field": "id" }))]
pub struct InvalidRecommendationRequest(ErrorBody);

/// `user not found`
#[derive(ToResponse)]
#[response(example = json!({ "error": "user not found", "code": "user_not_found" }))]
pub struct UserNotFound(ErrorBody);

/// Redis does not answer, or the catalogue is not loaded yet
#[derive(ToResponse)]
#[response(example = json!({ "error": "recommendation cache unavailable", "code": "cache_unavailable" }))]
pub struct RecommendationsUnavailable(ErrorBody);

/// The database is unavailable; nothing was changed
#[derive(ToResponse)]
#[response(example = json!({ "error": "database unavailable", "code": "unavailable" }))]
pub struct DatabaseUnavailable(ErrorBody);

/// Not answered in time; a change may have been made
#[derive(ToResponse)]
#[response(example = json!({ "error": "the request took too long", "code": "timeout" }))]
pub struct Timeout(ErrorBody);

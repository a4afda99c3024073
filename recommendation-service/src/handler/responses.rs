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

/// Of recommendations for a visitor.
#[derive(IntoResponses)]
pub enum AnonymousErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidVisitor),
}

/// Of recommendations for a group.
#[derive(IntoResponses)]
pub enum GroupErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidGroupRequest),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] UserNotFound),
}

/// Of the neighbours of a movie.
#[derive(IntoResponses)]
pub enum AlsoLikedErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidMovieRequest),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] MovieNotFound),
}

/// Of past recommendations.
#[derive(IntoResponses)]
pub enum HistoryErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidHistoryRequest),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] ListNotFound),
}

/// Of events.
#[derive(IntoResponses)]
pub enum EventErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidEvents),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] ListNotFound),
}

/// Of the report.
#[derive(IntoResponses)]
pub enum ReportErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidReportRequest),
}

/// Of the parameters of the rules.
#[derive(IntoResponses)]
#[response(status = 400)]
pub struct RuleQueryErrors(#[ref_response] InvalidRuleRequest);

/// Of one rule.
#[derive(IntoResponses)]
pub enum RulePathErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidRuleRequest),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] RuleNotFound),
}

/// Of what a rule is to be.
#[derive(IntoResponses)]
pub enum RuleBodyErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidRuleBody),
    /// 409
    #[response(status = 409)]
    Conflict(#[ref_response] RuleConflict),
}

/// Of what experiment is to run.
#[derive(IntoResponses)]
pub enum ExperimentErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidExperimentBody),
}

/// Of a training.
#[derive(IntoResponses)]
pub enum TrainingErrors {
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] TrainingNotFound),
}

/// Of a body.
#[derive(IntoResponses)]
pub enum BodyErrors {
    /// 408
    #[response(status = 408)]
    Slow(#[ref_response] BodyTimeout),
    /// 413
    #[response(status = 413)]
    TooLarge(#[ref_response] BodyTooLarge),
    /// 415
    #[response(status = 415)]
    Encoding(#[ref_response] UnsupportedEncoding),
}

/// Of what is read from the copy of the catalogue.
#[derive(IntoResponses)]
pub enum CatalogueErrors {
    /// 503
    #[response(status = 503)]
    Unavailable(#[ref_response] CatalogueUnavailable),
    /// 504
    #[response(status = 504)]
    Timeout(#[ref_response] Timeout),
}

/// Of what is read from the database or written to it.
#[derive(IntoResponses)]
pub enum DatabaseErrors {
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

/// `training not found`
#[derive(ToResponse)]
#[response(example = json!({ "error": "training not found", "code": "training_not_found" }))]
pub struct TrainingNotFound(ErrorBody);

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

/// A parameter or field that cannot be used or is unknown, or `invalid request body`
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid liked, expected ids of movies", "code": "invalid_field", "field": "liked" }))]
pub struct InvalidVisitor(ErrorBody);

/// A parameter that cannot be used or is unknown
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid users, expected 2 to 50 ids of users separated by commas, each once", "code": "invalid_parameter", "field": "users" }))]
pub struct InvalidGroupRequest(ErrorBody);

/// `invalid movie ID`, or a parameter that is unknown
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid movie ID", "code": "invalid_movie_id", "field": "id" }))]
pub struct InvalidMovieRequest(ErrorBody);

/// `invalid user ID`, or a parameter that is missing, cannot be used or is unknown
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid from, expected the recommendation_id of a list", "code": "invalid_parameter", "field": "from" }))]
pub struct InvalidHistoryRequest(ErrorBody);

/// A field that cannot be accepted, or `invalid request body`
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid events[0].movie_id, expected the id of a movie of the list", "code": "invalid_field", "field": "events[0].movie_id" }))]
pub struct InvalidEvents(ErrorBody);

/// A parameter that cannot be used or is unknown
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid days, expected a whole number from 1 to 365", "code": "invalid_parameter", "field": "days" }))]
pub struct InvalidReportRequest(ErrorBody);

/// `user not found`, no such list, or it is another user's
#[derive(ToResponse)]
#[response(example = json!({ "error": "recommendation not found", "code": "recommendation_not_found", "field": "from" }))]
pub struct ListNotFound(ErrorBody);

/// `movie not found`
#[derive(ToResponse)]
#[response(example = json!({ "error": "movie not found", "code": "movie_not_found" }))]
pub struct MovieNotFound(ErrorBody);

/// `invalid rule ID`, or a parameter that cannot be used or is unknown
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid rule ID", "code": "invalid_rule_id", "field": "id" }))]
pub struct InvalidRuleRequest(ErrorBody);

/// `rule not found`
#[derive(ToResponse)]
#[response(example = json!({ "error": "rule not found", "code": "rule_not_found" }))]
pub struct RuleNotFound(ErrorBody);

/// `invalid rule ID`, `invalid request body`, or a field that cannot be accepted
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid weight, expected a number from 0 to 10", "code": "invalid_field", "field": "weight" }))]
pub struct InvalidRuleBody(ErrorBody);

/// `invalid request body`, or a field that cannot be accepted
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid experiment.share, expected a number from 0 to 1", "code": "invalid_field", "field": "experiment.share" }))]
pub struct InvalidExperimentBody(ErrorBody);

/// Another rule of the variant has the name, or another active one the type
#[derive(ToResponse)]
#[response(example = json!({ "error": "another active rule of this variant has this rule_type", "code": "rule_exists", "field": "rule_type" }))]
pub struct RuleConflict(ErrorBody);

/// The body did not arrive in time
#[derive(ToResponse)]
#[response(example = json!({ "error": "the request body did not arrive in time", "code": "request_timeout" }))]
pub struct BodyTimeout(ErrorBody);

/// The body is larger than 1 MiB
#[derive(ToResponse)]
#[response(example = json!({ "error": "request body too large", "code": "body_too_large" }))]
pub struct BodyTooLarge(ErrorBody);

/// The `Content-Encoding` of the body is none of gzip, br and zstd
#[derive(ToResponse)]
#[response(example = json!({ "error": "unsupported Content-Encoding, expected gzip, br or zstd", "code": "unsupported_encoding" }))]
pub struct UnsupportedEncoding(ErrorBody);

/// The catalogue is not loaded yet
#[derive(ToResponse)]
#[response(example = json!({ "error": "movie catalogue not loaded yet", "code": "catalogue_unavailable" }))]
pub struct CatalogueUnavailable(ErrorBody);

//! Error responses for the specification, each once. One that another service has too is the same there.
#![expect(dead_code, reason = "only the specification is made from it")]

use utoipa::{IntoResponses, ToResponse};

use crate::error::ErrorBody;

/// Of operations on one user.
#[derive(IntoResponses)]
pub enum UserErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidUserId),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] UserNotFound),
}

/// Of operations that read a body. Its 400 says more than that of [`UserErrors`], so it comes after them.
#[derive(IntoResponses)]
pub enum BodyErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidRequest),
    /// 408
    #[response(status = 408)]
    Timeout(#[ref_response] BodyTimeout),
    /// 413
    #[response(status = 413)]
    TooLarge(#[ref_response] BodyTooLarge),
    /// 415
    #[response(status = 415)]
    Encoding(#[ref_response] UnsupportedEncoding),
}

/// Of creating a user.
#[derive(IntoResponses)]
#[response(status = 409)]
pub struct UserConflict(#[ref_response] UserExists);

/// Of all operations.
#[derive(IntoResponses)]
pub enum ServerErrors {
    /// 503
    #[response(status = 503)]
    Unavailable(#[ref_response] Unavailable),
    /// 504
    #[response(status = 504)]
    Timeout(#[ref_response] Timeout),
}

/// `invalid user ID`
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid user ID", "code": "invalid_user_id", "field": "id" }))]
pub struct InvalidUserId(ErrorBody);

/// A parameter that is unknown, given twice, or cannot have its value; `error` says what is allowed
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid after, expected the next of an earlier answer", "code": "invalid_cursor", "field": "after" }))]
pub struct InvalidFeedRequest(ErrorBody);

/// `user not found`
#[derive(ToResponse)]
#[response(example = json!({ "error": "user not found", "code": "user_not_found" }))]
pub struct UserNotFound(ErrorBody);

/// An id in the path that is no number, `invalid request body`, or a field that cannot be accepted
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid request body", "code": "invalid_request_body" }))]
pub struct InvalidRequest(ErrorBody);

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

/// `username already exists` or `email already exists`
#[derive(ToResponse)]
#[response(example = json!({ "error": "username already exists", "code": "username_exists", "field": "username" }))]
pub struct UserExists(ErrorBody);

/// The database is unavailable; nothing was changed
#[derive(ToResponse)]
#[response(example = json!({ "error": "the database is unavailable, try again later", "code": "unavailable" }))]
pub struct Unavailable(ErrorBody);

/// Not answered in time; a change may have been made
#[derive(ToResponse)]
#[response(example = json!({ "error": "the request took too long", "code": "timeout" }))]
pub struct Timeout(ErrorBody);

//! Error responses that several operations share, for the specification.

use utoipa::IntoResponses;

use crate::error::ErrorBody;

/// Of operations on one user.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub enum UserErrors {
    /// `invalid user ID`
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// `user not found`
    #[response(status = 404)]
    NotFound(ErrorBody),
}

/// Of operations on one user that read a body; it says more of 400 than [`UserErrors`], so it comes after them.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub enum BodyErrors {
    /// `invalid user ID`, `invalid request body`, or a field that cannot be accepted
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The body did not arrive in time
    #[response(status = 408)]
    TooSlow(ErrorBody),
    /// The body is larger than 1 MiB
    #[response(status = 413)]
    TooLarge(ErrorBody),
}

/// Of all operations.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub enum ServerErrors {
    /// The database is unavailable; nothing was changed
    #[response(status = 503)]
    Unavailable(ErrorBody),
    /// Not answered in time; a change may have been made
    #[response(status = 504)]
    Timeout(ErrorBody),
}

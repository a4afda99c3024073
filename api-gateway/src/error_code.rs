//! The codes of errors.

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, for programs. Codes are never renamed; new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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

    /// The path has no canonical form.
    InvalidPath,
    /// The path with its query is longer than allowed.
    UriTooLong,
    /// There is not exactly one `Host`, or it is malformed.
    InvalidHost,
    /// `Transfer-Encoding` is something else than `chunked`.
    UnknownTransferEncoding,
    /// The request body was cut off, or is not what its framing says.
    BrokenBody,
    /// There is no `Authorization` header.
    MissingAuthorization,
    /// The `Authorization` header is not of the form `Bearer <token>`.
    InvalidAuthorization,
    /// The Bearer token is empty.
    EmptyBearerToken,
    /// The Bearer token is not valid, or not any more.
    InvalidToken,
    /// The Bearer token is valid, but not for this request.
    Forbidden,
    /// The client is over its limit.
    RateLimited,
    /// The service could not be reached; nothing was sent to it.
    ServiceUnavailable,
    /// The service's response to a read broke off.
    InvalidResponse,
    /// The service's response to a write broke off or did not come in time; the change may have been made.
    Unconfirmed,
    /// The service did not respond to a read in time.
    ServiceTimeout,
    /// The service fails again and again; it is not asked before the time in `Retry-After` has passed.
    CircuitOpen,
    /// The service has as much to do as it may.
    Overloaded,
}

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
    /// The parameter in `field` is not a date.
    InvalidDate,
    /// The cursor is not the `next_cursor` of the same query.
    InvalidCursor,
    /// The value of `field` names a genre that does not exist.
    UnknownGenre,
    /// The field in `field` cannot have this value.
    InvalidField,
    /// The movie's id is not a number.
    InvalidMovieId,
    /// The id at TMDB is not a number.
    InvalidTmdbId,
    /// The job's id is not a number.
    InvalidJobId,
    /// There is no movie with this id.
    MovieNotFound,
    /// No movie passes the filters.
    NoMovieMatches,
    /// There is no job with this id.
    JobNotFound,
    /// Another movie has this id at TMDB.
    TmdbIdExists,
    /// The movie has none of the tags of `If-Match`.
    PreconditionFailed,
    /// A line of a bulk is too long.
    LineTooLong,
    /// A bulk has too many lines.
    TooManyLines,
    /// The database did not answer in time; the change may have been made.
    Unconfirmed,
    /// Another sync has not ended.
    SyncRunning,
    /// The sync was cancelled before anything was stored.
    SyncCancelled,
    /// The job has ended and cannot be cancelled.
    JobEnded,
    /// TMDB does not accept the configured key.
    TmdbKeyRefused,
    /// TMDB delivered nothing.
    TmdbUnavailable,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

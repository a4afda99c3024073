//! Error responses for the specification, each once. One that another service has too is the same there.
#![expect(dead_code, reason = "only the specification is made from it")]

use utoipa::{IntoResponses, ToResponse};

use crate::error::ErrorBody;

/// Of operations that wait for the database.
#[derive(IntoResponses)]
pub enum ServerErrors {
    /// 503
    #[response(status = 503)]
    Unavailable(#[ref_response] DatabaseUnavailable),
    /// 504
    #[response(status = 504)]
    Timeout(#[ref_response] Timeout),
}

/// Of operations on one movie.
#[derive(IntoResponses)]
pub enum MovieErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidMovieId),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] MovieNotFound),
}

/// Of writing a movie. Its 400 says more than that of [`MovieErrors`], so it comes after them.
#[derive(IntoResponses)]
pub enum WriteErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidRequest),
    /// 408
    #[response(status = 408)]
    BodyTimeout(#[ref_response] BodyTimeout),
    /// 409
    #[response(status = 409)]
    Conflict(#[ref_response] TmdbIdExists),
    /// 413
    #[response(status = 413)]
    TooLarge(#[ref_response] BodyTooLarge),
    /// 415
    #[response(status = 415)]
    Encoding(#[ref_response] UnsupportedEncoding),
}

/// Of operations on one job.
#[derive(IntoResponses)]
pub enum JobErrors {
    /// 400
    #[response(status = 400)]
    Invalid(#[ref_response] InvalidJobId),
    /// 404
    #[response(status = 404)]
    NotFound(#[ref_response] JobNotFound),
}

/// A parameter that is unknown, given twice, or cannot have its value; `error` says what is allowed
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid release_date_from, expected YYYY-MM-DD", "code": "invalid_date", "field": "release_date_from" }))]
pub struct InvalidFilter(ErrorBody);

/// `invalid movie ID`: it is not a number
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid movie ID", "code": "invalid_movie_id", "field": "id" }))]
pub struct InvalidMovieId(ErrorBody);

/// `invalid TMDB ID`: it is not a number
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid TMDB ID", "code": "invalid_tmdb_id", "field": "tmdb_id" }))]
pub struct InvalidTmdbId(ErrorBody);

/// `invalid movie ID`, or a `limit` that is not from 1 to 50
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid limit, expected a whole number from 1 to 50", "code": "invalid_parameter", "field": "limit" }))]
pub struct InvalidSimilarRequest(ErrorBody);

/// An id in the path that is no number, `invalid request body`, or a field that cannot be accepted
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid request body", "code": "invalid_request_body" }))]
pub struct InvalidRequest(ErrorBody);

/// A parameter that is given twice or cannot have its value; `error` says what is allowed
#[derive(ToResponse)]
#[response(example = json!({ "error": "unknown genre in with_genres, known are: Action, Drama", "code": "unknown_genre", "field": "with_genres" }))]
pub struct InvalidSyncRequest(ErrorBody);

/// `limit` is not a number from 1 to 100
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid limit, expected a whole number from 1 to 100", "code": "invalid_parameter", "field": "limit" }))]
pub struct InvalidJobLimit(ErrorBody);

/// `invalid job ID`: it is not a number
#[derive(ToResponse)]
#[response(example = json!({ "error": "invalid job ID", "code": "invalid_job_id", "field": "id" }))]
pub struct InvalidJobId(ErrorBody);

/// `movie not found`
#[derive(ToResponse)]
#[response(example = json!({ "error": "movie not found", "code": "movie_not_found" }))]
pub struct MovieNotFound(ErrorBody);

/// No movie passes the filters
#[derive(ToResponse)]
#[response(example = json!({ "error": "no movie matches", "code": "no_movie_matches" }))]
pub struct NoMovieMatches(ErrorBody);

/// `job not found`
#[derive(ToResponse)]
#[response(example = json!({ "error": "job not found", "code": "job_not_found" }))]
pub struct JobNotFound(ErrorBody);

/// The body did not arrive in time
#[derive(ToResponse)]
#[response(example = json!({ "error": "the request body did not arrive in time", "code": "request_timeout" }))]
pub struct BodyTimeout(ErrorBody);

/// `tmdb_id already exists`
#[derive(ToResponse)]
#[response(example = json!({ "error": "tmdb_id already exists", "code": "tmdb_id_exists", "field": "tmdb_id" }))]
pub struct TmdbIdExists(ErrorBody);

/// A sync is already running, or this one was cancelled before anything was stored
#[derive(ToResponse)]
#[response(example = json!({ "error": "a sync is already running", "code": "sync_running" }))]
pub struct SyncRunning(ErrorBody);

/// The job has ended
#[derive(ToResponse)]
#[response(example = json!({ "error": "the job has ended", "code": "job_ended" }))]
pub struct JobEnded(ErrorBody);

/// The movie has none of the tags of `If-Match`
#[derive(ToResponse)]
#[response(example = json!({ "error": "the movie has changed", "code": "precondition_failed" }))]
pub struct MovieChanged(ErrorBody);

/// The body is larger than 1 MiB
#[derive(ToResponse)]
#[response(example = json!({ "error": "request body too large", "code": "body_too_large" }))]
pub struct BodyTooLarge(ErrorBody);

/// The body is larger than 16 MiB, as its `Content-Length` says
#[derive(ToResponse)]
#[response(example = json!({ "error": "request body too large", "code": "body_too_large" }))]
pub struct BulkTooLarge(ErrorBody);

/// The `Content-Encoding` of the body is none of gzip, br and zstd
#[derive(ToResponse)]
#[response(example = json!({ "error": "unsupported Content-Encoding, expected gzip, br or zstd", "code": "unsupported_encoding" }))]
pub struct UnsupportedEncoding(ErrorBody);

/// TMDB delivered nothing; nothing was changed
#[derive(ToResponse)]
#[response(example = json!({ "error": "sync failed: TMDB cannot be reached", "code": "tmdb_unavailable" }))]
pub struct TmdbUnavailable(ErrorBody);

/// The database is unavailable; nothing was changed
#[derive(ToResponse)]
#[response(example = json!({ "error": "database unavailable", "code": "unavailable" }))]
pub struct DatabaseUnavailable(ErrorBody);

/// The database is unavailable, or the service is stopping
#[derive(ToResponse)]
#[response(example = json!({ "error": "the service is stopping", "code": "unavailable" }))]
pub struct SyncUnavailable(ErrorBody);

/// Not answered in time; a change may have been made
#[derive(ToResponse)]
#[response(example = json!({ "error": "the request took too long", "code": "timeout" }))]
pub struct Timeout(ErrorBody);

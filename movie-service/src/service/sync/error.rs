//! Why a sync did not start, stored nothing, or was not cancelled.

use crate::{
    database::postgres::DatabaseError,
    models::genre::UnknownGenre,
    service::{error::Unavailable, tmdb::TmdbError},
};

/// Why a sync changed nothing, or why a page is missing. The texts are shown to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// Another one, here or in another replica, has not ended.
    #[error("a sync is already running")]
    AlreadyRunning,
    /// TMDB did not deliver a single page, or not the genres.
    #[error(transparent)]
    Tmdb(#[from] TmdbError),
    /// It took too long.
    #[error("TMDB was too slow: the sync was given up")]
    TookTooLong,
    /// Somebody cancelled its job.
    #[error("the sync was cancelled")]
    Cancelled,
    /// The service was asked to stop.
    #[error("the service is stopping")]
    Stopping,
    /// The database does not answer; the cause is in the log.
    #[error("database unavailable")]
    Database,
    /// The database does not take this page, and would not take it later either; the cause is in the log.
    #[error("the page could not be stored")]
    Refused,
}

impl From<DatabaseError> for SyncError {
    fn from(_: DatabaseError) -> Self {
        Self::Database
    }
}

/// Why a sync did not start, or stored nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncFailure {
    /// `with_genres` names a genre that does not exist.
    #[error("there is no such genre")]
    UnknownGenre(UnknownGenre),
    /// Anything else.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

/// Why a job was not cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// There is no such job.
    #[error("job not found")]
    NotFound,
    /// It is too late.
    #[error("the job has ended")]
    Ended,
    /// The database does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

//! SQL and Redis keys. Nothing here knows of HTTP.

pub mod cache;
pub mod catalogue;
pub mod genres;
pub mod job_row;
pub mod job_work;
pub mod jobs;
pub mod list;
pub mod lock;
pub mod movies;
pub mod runtimes;
pub mod similar;
pub mod snapshot;
pub mod writes;

use crate::database::postgres::is_transient_code;

/// Whether a failure comes from the state of the database (away, starting, busy, too slow), so that the same statement
/// may work later; everything else is a mistake that somebody must look at.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // Besides the server's own state: a lock that was not free in time (55P03), a deadlock (40P01) and the like, and
        // what happens to a process that was suspended (25P03) or to a server that is changing its role (25006).
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            is_transient_code(&code) || ["55P03", "25P03", "25006"].contains(&&*code) || code.starts_with("40")
        }),
        _ => false,
    }
}

/// Logs a failed statement once, by how much it should worry.
pub fn log_failure(error: &sqlx::Error, what: &'static str) {
    if is_transient(error) {
        tracing::warn!(%error, what, "the database is not available");
    } else {
        tracing::error!(%error, what, "a statement failed");
    }
}

//! Jobs as their clients and replicas meet them: shown, listed, cancelled, found abandoned.

use sqlx::PgPool;

use crate::models::job::JobId;

use super::{
    job_row::{JobRow, job_columns},
    limits,
    lock::Guarded,
};

/// Whether a job has not ended, whoever works on it.
///
/// # Errors
/// When the database does not answer.
pub async fn is_any_running(pool: &PgPool) -> sqlx::Result<bool> {
    let asking = sqlx::query_scalar("SELECT EXISTS (SELECT FROM sync_jobs WHERE state = 'running')");
    limits::one_statement(pool, asking.fetch_one(pool)).await
}

/// Whether a job has not ended although nobody holds the lock that its worker would hold.
///
/// # Errors
/// When the database does not answer.
pub async fn is_any_abandoned(pool: &PgPool) -> sqlx::Result<bool> {
    let asking = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM sync_jobs WHERE state = 'running')
            AND NOT EXISTS (
                SELECT FROM pg_locks
                WHERE locktype = 'advisory' AND granted AND classid = 0 AND objsubid = 1 AND objid::bigint = $1
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
    )
    .bind(Guarded::Sync as i64)
    .fetch_one(pool);
    limits::one_statement(pool, asking).await
}

/// Asks a job to stop. `None` when there is none that runs.
///
/// # Errors
/// When the database does not answer.
pub async fn cancel(pool: &PgPool, id: JobId) -> sqlx::Result<Option<JobRow>> {
    let cancelling = sqlx::query_as(concat!(
        "UPDATE sync_jobs SET cancel_requested = TRUE WHERE id = $1 AND state = 'running' RETURNING ",
        job_columns!()
    ))
    .bind(id.get())
    .fetch_optional(pool);
    limits::one_statement(pool, cancelling).await
}

/// One job.
///
/// # Errors
/// When the database does not answer.
pub async fn find(pool: &PgPool, id: JobId) -> sqlx::Result<Option<JobRow>> {
    let finding = sqlx::query_as(concat!("SELECT ", job_columns!(), " FROM sync_jobs WHERE id = $1"))
        .bind(id.get())
        .fetch_optional(pool);
    limits::one_statement(pool, finding).await
}

/// The latest jobs.
///
/// # Errors
/// When the database does not answer.
pub async fn list(pool: &PgPool, limit: i64) -> sqlx::Result<Vec<JobRow>> {
    let listing = sqlx::query_as(concat!("SELECT ", job_columns!(), " FROM sync_jobs ORDER BY id DESC LIMIT $1"))
        .bind(limit)
        .fetch_all(pool);
    limits::one_statement(pool, listing).await
}

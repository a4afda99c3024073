//! Jobs as their clients and replicas meet them: shown, listed, cancelled, found abandoned.

use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::job::JobId,
};

use super::{
    job_row::{JobRow, job_columns},
    lock::LockKey,
};

/// Whether a job has not ended, whoever works on it.
///
/// # Errors
/// When the database does not answer.
pub async fn is_any_running(database: &Database) -> Result<bool, DatabaseError> {
    let query = sqlx::query_scalar("SELECT EXISTS (SELECT FROM sync_jobs WHERE state = 'running')");
    database.read("look for a running job", async |c: &mut PgConnection| query.fetch_one(c).await).await
}

/// Whether a job has not ended although nobody holds the lock that its worker would hold.
///
/// # Errors
/// When the database does not answer.
pub async fn is_any_abandoned(database: &Database) -> Result<bool, DatabaseError> {
    let query = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM sync_jobs WHERE state = 'running')
            AND NOT EXISTS (
                SELECT FROM pg_locks
                WHERE locktype = 'advisory' AND granted AND classid = 0 AND objsubid = 1 AND objid::bigint = $1
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
    )
    .bind(LockKey::Sync as i64);
    database.read("look for abandoned jobs", async |c: &mut PgConnection| query.fetch_one(c).await).await
}

/// Asks a job to stop. `None` when there is none that runs.
///
/// # Errors
/// When the database does not answer.
pub async fn cancel(database: &Database, id: JobId) -> Result<Option<JobRow>, DatabaseError> {
    let query = sqlx::query_as(concat!(
        "UPDATE sync_jobs SET cancel_requested = TRUE WHERE id = $1 AND state = 'running' RETURNING ",
        job_columns!()
    ))
    .bind(id.get());
    database.write("cancel a job", async |c: &mut PgConnection| query.fetch_optional(c).await).await
}

/// One job.
///
/// # Errors
/// When the database does not answer.
pub async fn find(database: &Database, id: JobId) -> Result<Option<JobRow>, DatabaseError> {
    let query = sqlx::query_as(concat!("SELECT ", job_columns!(), " FROM sync_jobs WHERE id = $1")).bind(id.get());
    database.read("find a job", async |c: &mut PgConnection| query.fetch_optional(c).await).await
}

/// The latest jobs.
///
/// # Errors
/// When the database does not answer.
pub async fn list(database: &Database, limit: i64) -> Result<Vec<JobRow>, DatabaseError> {
    let query =
        sqlx::query_as(concat!("SELECT ", job_columns!(), " FROM sync_jobs ORDER BY id DESC LIMIT $1")).bind(limit);
    database.read("list jobs", async |c: &mut PgConnection| query.fetch_all(c).await).await
}

//! The job's row for its worker: claimed, ended, given back.

use serde::Serialize;
use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        job::{JobError, JobId, JobState, MAX_ERRORS},
        sync::SyncPlan,
    },
};

/// A worker's right to a job: it ends when another worker claims the job.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job.
    pub id: JobId,
    pub(super) worker: String,
}

/// A name for a worker that no other one has.
pub(super) fn worker_name() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// What is left of a job that is claimed again.
#[derive(Debug)]
pub struct Work {
    /// The right to it.
    pub claim: Claim,
    /// What is to be fetched; `None` when another version of the service wrote it in another form.
    pub plan: Option<SyncPlan>,
    /// Its source, `tmdb` or `sample`.
    pub source: String,
    /// What was dealt with last.
    pub position: Position,
    /// Pages stored.
    pub pages_done: u32,
    /// How often it was cut off since its last page.
    pub interruptions: i32,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// Whether a client waited for it.
    pub inline: bool,
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The list, from 0.
    pub list: u32,
    /// Its page that was dealt with last, from 1; 0 before the first one.
    pub page: u32,
    /// Pages of that list.
    pub list_pages: u32,
    /// Pages of all lists.
    pub pages_total: u32,
}

/// Claims the job that has not ended, if there is one; its worker before loses its right. The caller holds the lock.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(database: &Database) -> Result<Option<Work>, DatabaseError> {
    let worker = worker_name();
    let query = sqlx::query!(
        r#"UPDATE sync_jobs
           SET worker = $1, interruptions = interruptions + (worker IS NOT NULL)::int, work_began_at = now(),
               work_pages = 0
           WHERE state = 'running'
           RETURNING id, plan::text AS "plan!", source, list, page, list_pages, pages_total, pages_done, interruptions,
                     cancel_requested, inline"#,
        worker
    );
    let row = database.write("claim a job", async |c: &mut PgConnection| query.fetch_optional(c).await).await?;
    Ok(row.map(|row| Work {
        claim: Claim { id: JobId::new(row.id), worker: worker.clone() },
        plan: serde_json::from_str(&row.plan).ok(),
        source: row.source,
        position: Position {
            list: row.list as u32,
            page: row.page as u32,
            list_pages: row.list_pages as u32,
            pages_total: row.pages_total as u32,
        },
        pages_done: row.pages_done as u32,
        interruptions: row.interruptions,
        cancel_requested: row.cancel_requested,
        inline: row.inline,
    }))
}

/// Ends a job. One that was to be completed without a single page stored has failed.
///
/// # Errors
/// When the database does not answer.
pub async fn finish(
    database: &Database,
    claim: &Claim,
    state: JobState,
    error: Option<&JobError>,
) -> Result<(), DatabaseError> {
    let query = sqlx::query!(
        "UPDATE sync_jobs
         SET state = CASE WHEN $3 = 'completed' AND pages_done = 0 THEN 'failed' ELSE $3 END,
             finished_at = clock_timestamp(),
             errors = errors || CASE WHEN jsonb_array_length(errors) < $5 AND $4::text IS NOT NULL
                                     THEN $4::text::jsonb ELSE '[]' END,
             errors_omitted = errors_omitted + ($4::text IS NOT NULL AND jsonb_array_length(errors) >= $5)::int
         WHERE id = $1 AND worker = $2 AND state = 'running'",
        claim.id.get(),
        claim.worker,
        state.as_str(),
        error.map(json),
        MAX_ERRORS
    );
    database.write("end a job", async |c: &mut PgConnection| query.execute(c).await.map(drop)).await
}

/// Gives up the claim, so that the job does not count as interrupted.
///
/// # Errors
/// When the database does not answer.
pub async fn release(database: &Database, claim: &Claim) -> Result<(), DatabaseError> {
    let query =
        sqlx::query!("UPDATE sync_jobs SET worker = NULL WHERE id = $1 AND worker = $2", claim.id.get(), claim.worker);
    database.write("release a job", async |c: &mut PgConnection| query.execute(c).await.map(drop)).await
}

/// Whether the job was asked to stop; `None` when another worker has it, or it has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn is_cancelled(database: &Database, claim: &Claim) -> Result<Option<bool>, DatabaseError> {
    let query = sqlx::query_scalar!(
        "SELECT cancel_requested FROM sync_jobs WHERE id = $1 AND worker = $2 AND state = 'running'",
        claim.id.get(),
        claim.worker
    );
    database.read("see whether a job is cancelled", async |c: &mut PgConnection| query.fetch_optional(c).await).await
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers always serialise")
}

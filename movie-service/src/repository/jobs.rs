//! Jobs as their clients and replicas meet them: made, shown, listed, cancelled, found abandoned.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        job::{Job, JobId, JobMovies, JobPages, JobState},
        sync::{SourceName, SyncParameters, SyncPlan},
    },
};

use super::{
    job_work::{Claim, json, worker_name},
    lock::LockKey,
};

/// A job to be created.
#[derive(Debug)]
pub struct NewJob<'a> {
    /// Where its movies come from.
    pub source: SourceName,
    /// As they were given.
    pub parameters: &'a SyncParameters,
    /// What they mean.
    pub plan: &'a SyncPlan,
    /// Pages of all lists.
    pub pages_total: u32,
    /// Whether a client waits for it.
    pub inline: bool,
}

/// A job but for the runtimes, which no row says.
#[derive(Debug)]
pub struct JobRow {
    id: i32,
    state: String,
    source: String,
    parameters: String,
    pages_total: i32,
    pages_done: i32,
    pages_failed: i32,
    movies_new: i64,
    movies_changed: i64,
    movies_unchanged: i64,
    errors: String,
    errors_omitted: i32,
    cancel_requested: bool,
    rows_skipped: i64,
    created_at: DateTime<Utc>,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    work_pages: i32,
    work_seconds: f64,
}

/// A statement whose rows are [`JobRow`]s: what stands before and after their columns, and its values.
macro_rules! job_query {
    ($before:literal, $after:literal $(, $value:expr)*) => {
        sqlx::query_as!(
            JobRow,
            $before
                + r#" id, state, source, parameters::text AS "parameters!", pages_total, pages_done, pages_failed,
                     movies_new, movies_changed, movies_unchanged, errors::text AS "errors!", errors_omitted,
                     cancel_requested, rows_skipped, created_at, started_at, finished_at, work_pages,
                     extract(epoch FROM COALESCE(finished_at, clock_timestamp()) - work_began_at)::float8
                         AS "work_seconds!" "#
                + $after
            $(, $value)*
        )
    };
}

/// Makes a job that is running, with the right to it; `None` while another one is to be resumed. An inline job is not:
/// nobody waits for it any more, and it is ended. The caller holds the lock.
///
/// # Errors
/// When the database does not answer.
pub async fn create(database: &Database, new: &NewJob<'_>) -> Result<Option<(Claim, JobRow)>, DatabaseError> {
    let worker = worker_name();
    let query = job_query!(
        "WITH ended AS (
             UPDATE sync_jobs SET state = 'failed', finished_at = clock_timestamp()
             WHERE state = 'running' AND inline RETURNING id
         )
         INSERT INTO sync_jobs (source, parameters, plan, worker, pages_total, inline)
         SELECT $1, $2::text::json, $3::text::json, $4, $5, $6
         WHERE (SELECT count(*) FROM ended) >= 0
           AND NOT EXISTS (SELECT FROM sync_jobs WHERE state = 'running' AND NOT inline)
         RETURNING",
        "",
        new.source.as_str(),
        json(new.parameters),
        json(new.plan),
        worker,
        new.pages_total as i32,
        new.inline
    );
    let row = database.write("create a job", async |c: &mut PgConnection| query.fetch_optional(c).await).await?;
    Ok(row.map(|row| (Claim { id: JobId::new(row.id), worker: worker.clone() }, row)))
}

/// Whether a job has not ended although nobody holds the lock that its worker would hold.
///
/// # Errors
/// When the database does not answer.
pub async fn is_any_abandoned(database: &Database) -> Result<bool, DatabaseError> {
    let query = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM sync_jobs WHERE state = 'running')
              AND NOT EXISTS (
                  SELECT FROM pg_locks
                  WHERE locktype = 'advisory' AND granted AND classid = 0 AND objsubid = 1 AND objid::bigint = $1
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
              AS "is_any_abandoned!""#,
        LockKey::Sync as i64
    );
    database.read("look for abandoned jobs", async |c: &mut PgConnection| query.fetch_one(c).await).await
}

/// Asks a job to stop. `None` when there is none that runs.
///
/// # Errors
/// When the database does not answer.
pub async fn cancel(database: &Database, id: JobId) -> Result<Option<JobRow>, DatabaseError> {
    let query = job_query!(
        "UPDATE sync_jobs SET cancel_requested = TRUE WHERE id = $1 AND state = 'running' RETURNING",
        "",
        id.get()
    );
    database.write("cancel a job", async |c: &mut PgConnection| query.fetch_optional(c).await).await
}

/// One job.
///
/// # Errors
/// When the database does not answer.
pub async fn find(database: &Database, id: JobId) -> Result<Option<JobRow>, DatabaseError> {
    let query = job_query!("SELECT", "FROM sync_jobs WHERE id = $1", id.get());
    database.read("find a job", async |c: &mut PgConnection| query.fetch_optional(c).await).await
}

/// The latest jobs.
///
/// # Errors
/// When the database does not answer.
pub async fn list(database: &Database, limit: i64) -> Result<Vec<JobRow>, DatabaseError> {
    let query = job_query!("SELECT", "FROM sync_jobs ORDER BY id DESC LIMIT $1", limit);
    database.read("list jobs", async |c: &mut PgConnection| query.fetch_all(c).await).await
}

impl JobRow {
    /// The job.
    ///
    /// # Errors
    /// When the row holds what this program never wrote.
    pub fn into_job(self, runtimes_left: i64) -> Result<Job, DatabaseError> {
        let job = self.decode(runtimes_left).map_err(DatabaseError::from_read);
        job.inspect_err(|error| error.log("read a job"))
    }

    fn decode(self, runtimes_left: i64) -> sqlx::Result<Job> {
        let state = JobState::parse(&self.state).ok_or_else(|| sqlx::Error::Decode("an unknown state".into()))?;
        // Less than a hundredth of a second says nothing.
        let pages_per_second = f64::from(self.work_pages) / self.work_seconds.max(0.01);
        let left = f64::from(self.pages_total - self.pages_done - self.pages_failed).max(0.0);
        let seconds_left = match state {
            JobState::Running => (self.work_pages > 0).then(|| (left / pages_per_second).ceil() as i64),
            _ => Some(0),
        };
        Ok(Job {
            id: self.id,
            state,
            source: self.source,
            pages: JobPages { total: self.pages_total, done: self.pages_done, failed: self.pages_failed },
            movies: JobMovies { new: self.movies_new, changed: self.movies_changed, unchanged: self.movies_unchanged },
            runtimes_left,
            pages_per_second: (pages_per_second * 100.0).round() / 100.0,
            seconds_left,
            errors: parse(&self.errors)?,
            errors_omitted: self.errors_omitted,
            parameters: parse(&self.parameters)?,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            cancel_requested: self.cancel_requested,
            skipped: self.rows_skipped,
        })
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

//! The job's row for its worker: created, claimed, advanced with each page, ended.

use serde::Serialize;
use sqlx::{Connection, PgConnection};

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        import::{GenreRecord, MovieRecord},
        job::{JobError, JobId, JobState, MAX_ERRORS},
        sync::{SourceName, SyncParameters, SyncPlan},
    },
};

use super::{
    catalogue::{self, Stored},
    job_row::{JobRow, job_columns},
};

/// Appends an error, if there is one and the list is not full.
macro_rules! append_error {
    ($error:literal, $most:literal) => {
        concat!(
            "errors = CASE WHEN jsonb_array_length(errors) < ",
            $most,
            " THEN errors || COALESCE(",
            $error,
            "::jsonb, '[]') ELSE errors END,
             errors_omitted = errors_omitted + (",
            $error,
            "::jsonb IS NOT NULL AND jsonb_array_length(errors) >= ",
            $most,
            ")::int"
        )
    };
}

/// A worker's right to a job: it ends when another worker claims the job.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job.
    pub id: JobId,
    worker: String,
}

impl Claim {
    fn name() -> String {
        format!("{:032x}", rand::random::<u128>())
    }
}

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

/// What became of a page.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// It arrived and is to be stored.
    Arrived {
        /// Genres to be stored before the movies.
        genres: &'a [GenreRecord],
        /// The movies.
        movies: &'a [MovieRecord],
        /// Rows of the page that could not be used.
        skipped: usize,
    },
    /// It is missing.
    Missing(&'a JobError),
}

/// What is to become of the job after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The page is recorded.
    GoOn,
    /// The page is recorded, and the job was asked to stop.
    Cancel,
    /// Another worker has the job, or it has ended: nothing was written.
    NotOurs,
}

/// Makes a job that is running, with the right to it.
///
/// # Errors
/// When the database does not answer.
pub async fn create(database: &Database, new: &NewJob<'_>) -> Result<(Claim, JobRow), DatabaseError> {
    let worker = Claim::name();
    let query = sqlx::query_as(concat!(
        "INSERT INTO sync_jobs (source, parameters, plan, worker, pages_total, inline)
         VALUES ($1, $2::json, $3::json, $4, $5, $6) RETURNING ",
        job_columns!()
    ))
    .bind(new.source.as_str())
    .bind(json(new.parameters))
    .bind(json(new.plan))
    .bind(&worker)
    .bind(new.pages_total as i32)
    .bind(new.inline);
    let row: JobRow = database.write("create a job", async |c: &mut PgConnection| query.fetch_one(c).await).await?;
    Ok((Claim { id: JobId::new(row.id), worker }, row))
}

#[derive(sqlx::FromRow)]
struct WorkRow {
    id: i32,
    plan: String,
    source: String,
    list: i32,
    page: i32,
    list_pages: i32,
    pages_total: i32,
    pages_done: i32,
    interruptions: i32,
    cancel_requested: bool,
    inline: bool,
}

/// Claims the job that has not ended, if there is one; its worker before loses its right. The caller holds the lock.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(database: &Database) -> Result<Option<Work>, DatabaseError> {
    let worker = Claim::name();
    let query = sqlx::query_as(
        "UPDATE sync_jobs
         SET worker = $1, interruptions = interruptions + (worker IS NOT NULL)::int, work_began_at = now(), work_pages = 0
         WHERE state = 'running'
         RETURNING id, plan::text, source, list, page, list_pages, pages_total, pages_done, interruptions,
                   cancel_requested, inline",
    )
    .bind(&worker);
    let row: Option<WorkRow> =
        database.write("claim a job", async |c: &mut PgConnection| query.fetch_optional(c).await).await?;
    Ok(row.map(|row| Work {
        claim: Claim { id: JobId::new(row.id), worker },
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

/// Stores a page and advances the job, or records that the page is missing, as one transaction. Doing it again changes
/// nothing. Must run in a task that nobody drops: see `Lifecycle::run_to_completion`.
///
/// # Errors
/// When the database does not answer; then nothing is stored, unless it fell silent just when it was to commit.
pub async fn record(
    database: &Database,
    claim: &Claim,
    at: Position,
    outcome: Outcome<'_>,
) -> Result<Recorded, DatabaseError> {
    database
        .write("record a page of a job", async |c: &mut PgConnection| record_page(c, claim, at, outcome).await)
        .await
}

async fn record_page(
    connection: &mut PgConnection,
    claim: &Claim,
    at: Position,
    outcome: Outcome<'_>,
) -> sqlx::Result<Recorded> {
    let mut transaction = connection.begin().await?;
    let found: Option<(bool, bool)> = sqlx::query_as(
        "SELECT (list, page) >= ($3, $4), cancel_requested FROM sync_jobs
         WHERE id = $1 AND worker = $2 AND state = 'running' FOR UPDATE",
    )
    .bind(claim.id.get())
    .bind(&claim.worker)
    .bind(at.list as i32)
    .bind(at.page as i32)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((is_recorded, cancel)) = found else { return Ok(Recorded::NotOurs) };
    if !is_recorded {
        let stored = match outcome {
            Outcome::Arrived { genres, movies, .. } => {
                Some(catalogue::store_in(&mut transaction, genres, movies).await?)
            }
            Outcome::Missing(_) => None,
        };
        advance(&mut transaction, claim, at, outcome, stored).await?;
        transaction.commit().await?;
    }
    Ok(if cancel { Recorded::Cancel } else { Recorded::GoOn })
}

async fn advance(
    connection: &mut PgConnection,
    claim: &Claim,
    at: Position,
    outcome: Outcome<'_>,
    stored: Option<Stored>,
) -> sqlx::Result<()> {
    let Stored { new, changed, unchanged } = stored.unwrap_or_default();
    let (skipped, error) = match outcome {
        Outcome::Arrived { skipped, .. } => (skipped, None),
        Outcome::Missing(error) => (0, Some(json(error))),
    };
    sqlx::query(concat!(
        "UPDATE sync_jobs
         SET list = $2, page = $3, list_pages = $4, pages_total = $5, work_pages = work_pages + 1, interruptions = 0,
             pages_done = pages_done + $6::int, pages_failed = pages_failed + (1 - $6::int),
             movies_new = movies_new + $7, movies_changed = movies_changed + $8,
             movies_unchanged = movies_unchanged + $9, rows_skipped = rows_skipped + $10, ",
        append_error!("$11", "$12"),
        " WHERE id = $1"
    ))
    .bind(claim.id.get())
    .bind(at.list as i32)
    .bind(at.page as i32)
    .bind(at.list_pages as i32)
    .bind(at.pages_total as i32)
    .bind(i32::from(stored.is_some()))
    .bind(new)
    .bind(changed)
    .bind(unchanged)
    .bind(skipped as i64)
    .bind(error)
    .bind(MAX_ERRORS)
    .execute(connection)
    .await?;
    Ok(())
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
    let query = sqlx::query(concat!(
        "UPDATE sync_jobs
         SET state = CASE WHEN $3 = 'completed' AND pages_done = 0 THEN 'failed' ELSE $3 END,
             finished_at = clock_timestamp(), ",
        append_error!("$4", "$5"),
        " WHERE id = $1 AND worker = $2 AND state = 'running'"
    ))
    .bind(claim.id.get())
    .bind(&claim.worker)
    .bind(state.as_str())
    .bind(error.map(json))
    .bind(MAX_ERRORS);
    database.write("end a job", async |c: &mut PgConnection| query.execute(c).await).await?;
    Ok(())
}

/// Ends an inline job whose worker is gone, and says whether there was one. The caller holds the lock.
///
/// # Errors
/// When the database does not answer.
pub async fn end_abandoned_inline(database: &Database) -> Result<bool, DatabaseError> {
    let query = sqlx::query(
        "UPDATE sync_jobs SET state = 'failed', finished_at = clock_timestamp() WHERE state = 'running' AND inline",
    );
    let ended = database.write("end an abandoned job", async |c: &mut PgConnection| query.execute(c).await).await?;
    Ok(ended.rows_affected() > 0)
}

/// Gives up the claim, so that the job does not count as interrupted.
///
/// # Errors
/// When the database does not answer.
pub async fn release(database: &Database, claim: &Claim) -> Result<(), DatabaseError> {
    let query = sqlx::query("UPDATE sync_jobs SET worker = NULL WHERE id = $1 AND worker = $2")
        .bind(claim.id.get())
        .bind(&claim.worker);
    database.write("release a job", async |c: &mut PgConnection| query.execute(c).await).await?;
    Ok(())
}

/// Whether the job was asked to stop; `None` when another worker has it, or it has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn is_cancelled(database: &Database, claim: &Claim) -> Result<Option<bool>, DatabaseError> {
    let query = sqlx::query_scalar(
        "SELECT cancel_requested FROM sync_jobs WHERE id = $1 AND worker = $2 AND state = 'running'",
    )
    .bind(claim.id.get())
    .bind(&claim.worker);
    database.read("see whether a job is cancelled", async |c: &mut PgConnection| query.fetch_optional(c).await).await
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers always serialise")
}

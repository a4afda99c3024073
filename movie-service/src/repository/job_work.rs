//! A job as its worker meets it: made, taken up, moved on with each page, ended.

use serde::Serialize;
use sqlx::PgPool;

use crate::models::{
    import::{GenreRecord, MovieRecord},
    job::{JobError, JobId, JobState, MAX_ERRORS},
    sync::{SourceName, SyncParameters, SyncPlan},
};

use super::{
    catalogue::{self, Stored},
    job_row::{JobRow, job_columns},
    limits,
};

/// Appends an error, if there is one and the list is not full.
macro_rules! keep_error {
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

/// A worker's right to a job: it ends when another one takes the job up.
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

/// What is left of a job that is taken up again.
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
    Arrived(&'a [GenreRecord], &'a [MovieRecord]),
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
pub async fn create(
    pool: &PgPool,
    source: SourceName,
    parameters: &SyncParameters,
    plan: &SyncPlan,
    pages_total: u32,
) -> sqlx::Result<(Claim, JobRow)> {
    let worker = Claim::name();
    let creating = sqlx::query_as(concat!(
        "INSERT INTO sync_jobs (source, parameters, plan, worker, pages_total) VALUES ($1, $2::json, $3::json, $4, $5)
         RETURNING ",
        job_columns!()
    ))
    .bind(source.as_str())
    .bind(json(parameters))
    .bind(json(plan))
    .bind(&worker)
    .bind(pages_total as i32)
    .fetch_one(pool);
    let row: JobRow = limits::one_statement(pool, creating).await?;
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
}

/// Takes up the job that has not ended, if there is one; its worker before loses its right. Whoever calls it holds the lock.
///
/// # Errors
/// When the database does not answer.
pub async fn take_up(pool: &PgPool) -> sqlx::Result<Option<Work>> {
    let worker = Claim::name();
    let taking = sqlx::query_as(
        "UPDATE sync_jobs
         SET worker = $1, interruptions = interruptions + (worker IS NOT NULL)::int, work_began_at = now(), work_pages = 0
         WHERE state = 'running'
         RETURNING id, plan::text, source, list, page, list_pages, pages_total, pages_done, interruptions,
                   cancel_requested",
    )
    .bind(&worker)
    .fetch_optional(pool);
    let row: Option<WorkRow> = limits::one_statement(pool, taking).await?;
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
    }))
}

/// Stores a page and moves the job on, or notes that the page is missing, as one transaction. Doing it again changes
/// nothing. Must run in a task that nobody drops: see `Lifecycle::run_to_completion`.
///
/// # Errors
/// When the database does not answer; then nothing is stored, unless it fell silent just when it was to commit.
pub async fn record(pool: &PgPool, claim: &Claim, at: Position, outcome: Outcome<'_>) -> sqlx::Result<Recorded> {
    limits::one_transaction(pool, record_page(pool, claim, at, outcome)).await
}

async fn record_page(pool: &PgPool, claim: &Claim, at: Position, outcome: Outcome<'_>) -> sqlx::Result<Recorded> {
    let mut transaction = pool.begin().await?;
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
        let (stored, error) = match outcome {
            Outcome::Arrived(genres, movies) => {
                (Some(catalogue::store_in(&mut transaction, genres, movies).await?), None)
            }
            Outcome::Missing(error) => (None, Some(json(error))),
        };
        move_on(&mut transaction, claim, at, stored, error).await?;
        transaction.commit().await?;
    }
    Ok(if cancel { Recorded::Cancel } else { Recorded::GoOn })
}

async fn move_on(
    connection: &mut sqlx::PgConnection,
    claim: &Claim,
    at: Position,
    stored: Option<Stored>,
    error: Option<String>,
) -> sqlx::Result<()> {
    let Stored { new, changed, unchanged } = stored.unwrap_or_default();
    sqlx::query(concat!(
        "UPDATE sync_jobs
         SET list = $2, page = $3, list_pages = $4, pages_total = $5, work_pages = work_pages + 1, interruptions = 0,
             pages_done = pages_done + $6::int, pages_failed = pages_failed + (1 - $6::int),
             movies_new = movies_new + $7, movies_changed = movies_changed + $8,
             movies_unchanged = movies_unchanged + $9, ",
        keep_error!("$10", "$11"),
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
pub async fn finish(pool: &PgPool, claim: &Claim, state: JobState, error: Option<&JobError>) -> sqlx::Result<()> {
    let finishing = sqlx::query(concat!(
        "UPDATE sync_jobs
         SET state = CASE WHEN $3 = 'completed' AND pages_done = 0 THEN 'failed' ELSE $3 END,
             finished_at = clock_timestamp(), ",
        keep_error!("$4", "$5"),
        " WHERE id = $1 AND worker = $2 AND state = 'running'"
    ))
    .bind(claim.id.get())
    .bind(&claim.worker)
    .bind(state.as_str())
    .bind(error.map(json))
    .bind(MAX_ERRORS)
    .execute(pool);
    limits::one_statement(pool, finishing).await?;
    Ok(())
}

/// Gives a job back in good order.
///
/// # Errors
/// When the database does not answer.
pub async fn let_go(pool: &PgPool, claim: &Claim) -> sqlx::Result<()> {
    let letting_go = sqlx::query("UPDATE sync_jobs SET worker = NULL WHERE id = $1 AND worker = $2")
        .bind(claim.id.get())
        .bind(&claim.worker)
        .execute(pool);
    limits::one_statement(pool, letting_go).await?;
    Ok(())
}

/// Whether the job was asked to stop; `None` when another worker has it, or it has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn is_cancelled(pool: &PgPool, claim: &Claim) -> sqlx::Result<Option<bool>> {
    let asking = sqlx::query_scalar(
        "SELECT cancel_requested FROM sync_jobs WHERE id = $1 AND worker = $2 AND state = 'running'",
    )
    .bind(claim.id.get())
    .bind(&claim.worker)
    .fetch_optional(pool);
    limits::one_statement(pool, asking).await
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers always serialise")
}

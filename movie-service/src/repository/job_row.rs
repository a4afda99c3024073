//! A job's row as a client sees it.

use chrono::{DateTime, Utc};

use crate::{
    database::postgres::DatabaseError,
    models::job::{Job, JobMovies, JobPages, JobState},
};

/// What [`JobRow`] is made of.
macro_rules! job_columns {
    () => {
        "id, state, source, parameters::text, pages_total, pages_done, pages_failed, movies_new, movies_changed,
         movies_unchanged, errors::text, errors_omitted, cancel_requested, rows_skipped, created_at, started_at, finished_at,
         work_pages, extract(epoch FROM COALESCE(finished_at, clock_timestamp()) - work_began_at)::float8 AS work_seconds"
    };
}
pub(super) use job_columns;

/// A job but for the runtimes, which no row says.
#[derive(Debug, sqlx::FromRow)]
pub struct JobRow {
    pub(super) id: i32,
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

//! What has become of jobs: read from PostgreSQL, whichever replica works on them.

use std::{future::ready, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::job::{Job, JobId, JobList, JobState},
    repository::{
        jobs::{self as rows, JobRow},
        runtimes,
    },
};

use super::Unavailable;

/// Pause between two looks at a job that is watched.
const POLL: Duration = Duration::from_millis(200);
/// How long a number of runtimes is good for: at least so long, and so many times as long as it took to count.
const COUNT_LASTS: Duration = Duration::from_secs(1);
const COUNT_LASTS_TIMES: u32 = 20;

/// What a watcher is told.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEvent {
    /// It has come so far.
    Progress(Job),
    /// It has ended; nothing follows.
    End(Job),
}

/// The use case. Clones share the same state.
#[derive(Clone)]
pub struct Jobs {
    database: Database,
    lifecycle: Lifecycle,
    /// The number of runtimes left, and until when it is good.
    left: Arc<Mutex<Option<(i64, Instant)>>>,
    /// What the watchers of a job saw last, and until when it is good: together they ask as often as one.
    seen: Arc<Mutex<Option<(Job, Instant)>>>,
}

impl Jobs {
    pub(super) fn new(database: Database, lifecycle: Lifecycle) -> Self {
        Self { database, lifecycle, left: Arc::default(), seen: Arc::default() }
    }

    /// One job.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(&self, id: JobId) -> Result<Option<Job>, Unavailable> {
        match rows::find(&self.database, id).await? {
            Some(row) => shown(row, self.runtimes_left().await?).map(Some),
            None => Ok(None),
        }
    }

    /// The latest jobs.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, limit: i64) -> Result<JobList, Unavailable> {
        let rows = rows::list(&self.database, limit).await?;
        let left = self.runtimes_left().await?;
        Ok(JobList { jobs: rows.into_iter().map(|row| shown(row, left)).collect::<Result<_, _>>()? })
    }

    /// Follows a job: how far it has come now and whenever that changes, until it ends or the service stops. Nothing is
    /// read ahead of whoever takes the events.
    pub fn follow(&self, job: Job) -> impl Stream<Item = JobEvent> + Send + 'static {
        let later = stream::unfold((self.clone(), job.clone()), |(jobs, told)| async move {
            let job = jobs.next(&told).await?;
            Some((job.clone(), (jobs, job)))
        });
        stream::once(ready(job)).chain(later).map(|job| match job.state {
            JobState::Running => JobEvent::Progress(job),
            _ => JobEvent::End(job),
        })
    }

    /// A job when it has changed; `None` when it had ended, or the service stops.
    async fn next(&self, told: &Job) -> Option<Job> {
        let stop = self.lifecycle.stop_token();
        if told.state != JobState::Running {
            return None;
        }
        loop {
            // Also while a silent database is waited for.
            let looked = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                looked = self.look(JobId::new(told.id)) => looked,
            };
            match looked {
                Ok(Some(job)) if job.state == JobState::Running && is_same(told, &job) => {}
                Ok(job) => return job,
                // It may answer again.
                Err(Unavailable) => {}
            }
        }
    }

    /// Counting takes a while when a million wait.
    pub(super) async fn runtimes_left(&self) -> Result<i64, Unavailable> {
        let mut left = self.left.lock().await;
        let start = Instant::now();
        if let Some((count, good_until)) = *left
            && start < good_until
        {
            return Ok(count);
        }
        let count = runtimes::count_missing(&self.database).await?;
        *left = Some((count, Instant::now() + (start.elapsed() * COUNT_LASTS_TIMES).max(COUNT_LASTS)));
        Ok(count)
    }

    async fn look(&self, id: JobId) -> Result<Option<Job>, Unavailable> {
        sleep(POLL).await;
        let mut seen = self.seen.lock().await;
        if let Some((job, good_until)) = seen.as_ref()
            && job.id == id.get()
            && Instant::now() < *good_until
        {
            return Ok(Some(job.clone()));
        }
        let job = self.find(id).await?;
        *seen = job.clone().map(|job| (job, Instant::now() + POLL));
        Ok(job)
    }
}

/// But for what only the passing of time changes.
fn is_same(one: &Job, other: &Job) -> bool {
    let Job { pages_per_second, seconds_left, .. } = *other;
    Job { pages_per_second, seconds_left, ..one.clone() } == *other
}

/// The job of a row.
pub(super) fn shown(row: JobRow, runtimes_left: i64) -> Result<Job, Unavailable> {
    Ok(row.into_job(runtimes_left)?)
}

//! What has become of jobs: read from PostgreSQL, whichever replica works on them.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::job::{Job, JobId, JobList, JobState},
    repository::{job_row::JobRow, jobs as rows, runtimes},
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
        let watcher = Watcher { id: JobId::new(job.id), jobs: self.clone(), at_hand: Some(job), told: None };
        stream::unfold(Some(watcher), |watcher| async {
            let mut watcher = watcher?;
            let job = watcher.next().await?;
            Some(match job.state {
                JobState::Running => (JobEvent::Progress(job), Some(watcher)),
                _ => (JobEvent::End(job), None),
            })
        })
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

struct Watcher {
    id: JobId,
    jobs: Jobs,
    at_hand: Option<Job>,
    told: Option<Job>,
}

impl Watcher {
    /// The job when it has changed; `None` when the service stops.
    async fn next(&mut self) -> Option<Job> {
        let stop = self.jobs.lifecycle.stop_token();
        loop {
            let job = match self.at_hand.take() {
                Some(job) => job,
                None => {
                    // Also while a silent database is waited for.
                    let looked = tokio::select! {
                        biased;
                        () = stop.cancelled() => return None,
                        looked = self.look_again() => looked,
                    };
                    match looked {
                        Ok(job) => job?,
                        // It may answer again.
                        Err(Unavailable) => continue,
                    }
                }
            };
            if job.state == JobState::Running && self.told.as_ref().is_some_and(|told| is_same(told, &job)) {
                continue;
            }
            self.told = Some(job.clone());
            return Some(job);
        }
    }

    async fn look_again(&self) -> Result<Option<Job>, Unavailable> {
        sleep(POLL).await;
        self.jobs.look(self.id).await
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

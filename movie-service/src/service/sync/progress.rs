//! What a worker writes into the row of its job: each page, and how it ended. It waits for a database that is away.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    models::job::{JobError, JobState},
    repository::{
        job_work::{self, Claim, Outcome, Position, Recorded},
        lock::{Guarded, ReplicaLock},
        log_failure, may_pass,
    },
    service::movie_editor::invalidate_when_decided,
};

use super::Sync;

/// How long a database that does not answer is waited for, and the pause between two attempts.
const WAIT_TIMEOUT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);
/// Attempts to give a job back.
const LET_GO_ATTEMPTS: u32 = 3;

/// How a worker ends.
pub(super) enum End {
    /// All pages were tried.
    Completed,
    /// The job was asked to stop.
    Cancelled,
    /// It cannot go on; the reason, if no page has said it.
    Failed(Option<JobError>),
    /// It cannot go on here: the service stops, or another replica has the job.
    Left,
}

impl End {
    /// For a reason that concerns no single page.
    pub(super) fn failed(error: String) -> Self {
        Self::Failed(Some(JobError { year: None, page: None, error }))
    }
}

/// The right to write.
pub(super) struct Progress {
    pub(super) sync: Sync,
    pub(super) claim: Claim,
    pub(super) lock: Option<ReplicaLock>,
}

impl Progress {
    pub(super) fn new(sync: Sync, claim: Claim) -> Self {
        Self { sync, claim, lock: None }
    }

    /// Records a page, however often it takes within a minute. `false` when the database will never take it.
    pub(super) async fn record(&mut self, at: Position, outcome: Outcome<'_>) -> Result<bool, End> {
        let give_up = Instant::now() + WAIT_TIMEOUT;
        loop {
            let recorded = match self.holds_lock().await {
                Ok(true) => job_work::record(&self.sync.pool, &self.claim, at, outcome).await,
                Ok(false) => Ok(Recorded::NotOurs),
                Err(error) => Err(error),
            };
            // Also after a failure: the database may have committed although its answer did not arrive.
            if matches!(outcome, Outcome::Arrived(..)) {
                self.sync.cache.invalidate().await;
            }
            match recorded {
                Ok(Recorded::GoOn) => return Ok(true),
                Ok(Recorded::Cancel) => return Err(End::Cancelled),
                Ok(Recorded::NotOurs) => return Err(End::Left),
                Err(error) => {
                    log_failure(&error, "record a page of a job");
                    if !may_pass(&error) {
                        return Ok(false);
                    }
                }
            }
            if let Err(end) = self.pause(give_up).await {
                invalidate_when_decided(&self.sync.pool, &self.sync.cache, &self.sync.lifecycle);
                return Err(end);
            }
        }
    }

    /// Whether this replica may write. A lock that was lost with its connection is taken again, unless another replica was
    /// faster.
    async fn holds_lock(&mut self) -> sqlx::Result<bool> {
        if let Some(lock) = &mut self.lock
            && lock.is_held().await
        {
            return Ok(true);
        }
        if let Some(lock) = self.lock.take() {
            tracing::warn!(job = self.claim.id.get(), "the lock was lost with its connection");
            lock.release().await;
        }
        self.lock = ReplicaLock::try_take(&self.sync.pool, Guarded::Sync).await?;
        Ok(self.lock.is_some())
    }

    /// Before the next attempt; an end when there is none.
    async fn pause(&self, give_up: Instant) -> Result<(), End> {
        let stop = self.sync.lifecycle.stop_token();
        if Instant::now() >= give_up {
            // Its row cannot say so now. Whoever finds it when the database is back goes on.
            return Err(End::Left);
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(End::Left),
            () = sleep(PAUSE) => Ok(()),
        }
    }

    /// Writes down how it ended, and gives the lock back.
    pub(super) async fn end(mut self, end: End) {
        self.write_down(end).await;
        if let Some(lock) = self.lock.take() {
            lock.release().await;
        }
    }

    async fn write_down(&self, end: End) {
        let job = self.claim.id.get();
        let (state, error) = match end {
            End::Left => {
                tracing::info!(job, "a job is left for later, or to another replica");
                return self.let_go().await;
            }
            End::Completed => (JobState::Completed, None),
            End::Cancelled => (JobState::Cancelled, None),
            End::Failed(error) => (JobState::Failed, error),
        };
        let give_up = Instant::now() + WAIT_TIMEOUT;
        while let Err(error) = job_work::finish(&self.sync.pool, &self.claim, state, error.as_ref()).await {
            log_failure(&error, "end a job");
            if self.pause(give_up).await.is_err() {
                return;
            }
        }
        tracing::info!(job, state = state.as_str(), "a job has ended");
        self.sync.wake_runtimes();
    }

    /// In good order, so that it does not count as cut off. A session that broke meanwhile costs an attempt.
    async fn let_go(&self) {
        for _ in 0..LET_GO_ATTEMPTS {
            match job_work::let_go(&self.sync.pool, &self.claim).await {
                Ok(()) => return,
                Err(error) => log_failure(&error, "let a job go"),
            }
            sleep(PAUSE).await;
        }
    }
}

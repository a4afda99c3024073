//! Writes a job's row: each page, and how the job ended. Waits for a database that is away.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    database::postgres::DatabaseError,
    models::job::{JobError, JobState},
    repository::{
        job_page::{self, Outcome, Recorded},
        job_work::{self, Claim, Position},
        lock::{LockKey, ReplicaLock},
    },
    service::movie_editor::invalidate_when_decided,
};

use super::{Sync, SyncError};

/// Attempts to write to a database that does not answer, and the pause between two: a job waits for a minute.
const ATTEMPTS: u32 = 120;
const PAUSE: Duration = Duration::from_millis(500);
/// How long a lock counts as held.
const LOCK_CHECK: Duration = Duration::from_secs(1);
/// Attempts while a client waits.
const INLINE_ATTEMPTS: u32 = 3;
/// Attempts to release a job.
const RELEASE_ATTEMPTS: u32 = 3;

/// How a worker ends.
pub(super) enum End {
    /// All pages were tried.
    Completed,
    /// Somebody cancelled the job.
    Cancelled,
    /// It cannot go on. `is_recorded` when the error of a page says so already.
    Failed { error: SyncError, is_recorded: bool },
    /// It was not resumed.
    GivenUp(String),
    /// It cannot go on here: the service stops, the database is away, or another replica has the job.
    Left(SyncError),
}

impl End {
    pub(super) fn failed(error: impl Into<SyncError>) -> Self {
        Self::Failed { error: error.into(), is_recorded: false }
    }

    /// Why pages were left out.
    pub(super) fn reason(&self) -> Option<SyncError> {
        match self {
            Self::Completed => None,
            Self::Cancelled => Some(SyncError::Cancelled),
            Self::Failed { error, .. } | Self::Left(error) => Some(*error),
            // Those that were not resumed have no client.
            Self::GivenUp(_) => None,
        }
    }
}

/// The right to write.
pub(super) struct JobWriter {
    pub(super) sync: Sync,
    pub(super) claim: Claim,
    pub(super) lock: Option<ReplicaLock>,
    /// When the lock was known to be held.
    pub(super) checked: Option<Instant>,
    /// Whether a client waits for the job.
    pub(super) is_inline: bool,
    /// Whether the job was asked to stop when its last page was recorded.
    pub(super) is_cancelled: bool,
}

impl JobWriter {
    /// Records a page. `false` when the database will never take it.
    pub(super) async fn record(&mut self, at: Position, outcome: Outcome<'_>) -> Result<bool, End> {
        let mut failed = 0;
        loop {
            let recorded = match self.holds_lock(failed > 0).await {
                Ok(true) => job_page::record(&self.sync.database, &self.claim, at, outcome).await,
                Ok(false) => Ok(Recorded::NotOurs),
                Err(error) => Err(error),
            };
            // Also after a failure: the database may have committed although its answer did not arrive.
            if matches!(outcome, Outcome::Arrived { .. }) {
                self.sync.cache.invalidate().await;
            }
            match recorded {
                Ok(Recorded::NotOurs) => return Err(End::Left(SyncError::Database)),
                Ok(recorded) => {
                    self.is_cancelled = recorded == Recorded::Cancel;
                    return Ok(true);
                }
                Err(error) if !error.is_transient() => return Ok(false),
                Err(_) => {}
            }
            if let Err(end) = self.pause(&mut failed).await {
                invalidate_when_decided(&self.sync.database, &self.sync.cache, &self.sync.lifecycle);
                return Err(end);
            }
        }
    }

    /// Whether this replica may write, which PostgreSQL is asked once a second: until then a job that another worker has
    /// claimed is not written to either. A lock that was lost with its connection is taken again, unless another replica
    /// was faster.
    async fn holds_lock(&mut self, is_doubtful: bool) -> Result<bool, DatabaseError> {
        if !is_doubtful && self.checked.is_some_and(|checked| checked.elapsed() < LOCK_CHECK) {
            return Ok(true);
        }
        self.checked = None;
        if let Some(mut lock) = self.lock.take() {
            if lock.is_held().await {
                self.lock = Some(lock);
            } else {
                tracing::warn!(job = self.claim.id.get(), "the lock was lost with its connection");
                lock.abandon().await;
            }
        }
        if self.lock.is_none() {
            self.lock = ReplicaLock::try_take(&self.sync.database, LockKey::Sync).await?;
        }
        self.checked = self.lock.as_ref().map(|_| Instant::now());
        Ok(self.lock.is_some())
    }

    /// Before the next attempt; an end when there is none. The row of a job that is left cannot say so now: whoever finds
    /// it when the database is back resumes it.
    async fn pause(&self, failed: &mut u32) -> Result<(), End> {
        *failed += 1;
        if *failed >= if self.is_inline { INLINE_ATTEMPTS } else { ATTEMPTS } {
            return Err(End::Left(SyncError::Database));
        }
        let stop = self.sync.lifecycle.stop_token();
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(End::Left(SyncError::Stopping)),
            () = sleep(PAUSE) => Ok(()),
        }
    }

    /// Writes how the job ended, and releases the lock.
    pub(super) async fn end(mut self, end: End) {
        self.write_end(end).await;
        if let Some(lock) = self.lock.take() {
            lock.release().await;
        }
    }

    async fn write_end(&self, end: End) {
        let job = self.claim.id.get();
        let (state, error) = match end {
            End::Left(_) if !self.is_inline => {
                tracing::info!(job, "a job is left for later, or to another replica");
                return self.release().await;
            }
            End::Completed => (JobState::Completed, None),
            End::Cancelled => (JobState::Cancelled, None),
            End::Failed { is_recorded: true, .. } => (JobState::Failed, None),
            End::Failed { error, .. } | End::Left(error) => (JobState::Failed, Some(error.to_string())),
            End::GivenUp(error) => (JobState::Failed, Some(error)),
        };
        let error = error.map(|error| JobError { year: None, page: None, error });
        let mut failed = 0;
        while job_work::finish(&self.sync.database, &self.claim, state, error.as_ref()).await.is_err() {
            if self.pause(&mut failed).await.is_err() {
                return;
            }
        }
        tracing::info!(job, state = state.as_str(), "a job has ended");
        self.sync.wake_runtimes();
    }

    /// So that the job does not count as interrupted. A session that broke meanwhile costs an attempt.
    async fn release(&self) {
        for _ in 0..RELEASE_ATTEMPTS {
            if job_work::release(&self.sync.database, &self.claim).await.is_ok() {
                return;
            }
            sleep(PAUSE).await;
        }
    }
}

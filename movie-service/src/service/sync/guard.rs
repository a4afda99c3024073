//! One sync at a time over all replicas.

use std::time::Duration;

use tokio::{sync::OwnedMutexGuard, time::sleep};

use crate::repository::{
    job_work, jobs as rows,
    lock::{Guarded, ReplicaLock},
    log_failure,
};

use super::{Sync, SyncError};

/// Pause before a second attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// The right to be the only sync.
pub(super) struct SyncGuard {
    pub(super) running: OwnedMutexGuard<()>,
    pub(super) lock: ReplicaLock,
}

impl SyncGuard {
    /// The guard if nobody has it.
    pub(super) async fn try_acquire(sync: &Sync) -> sqlx::Result<Option<Self>> {
        let Ok(running) = sync.running.clone().try_lock_owned() else { return Ok(None) };
        let lock = ReplicaLock::try_take(&sync.pool, Guarded::Sync).await?;
        Ok(lock.map(|lock| Self { running, lock }))
    }

    /// The guard, when no job is left to be resumed either. Tries twice: who saw a job end may come before its lock is free.
    pub(super) async fn acquire_for_new_job(sync: &Sync) -> Result<Self, SyncError> {
        match Self::try_acquire_for_new_job(sync).await {
            Err(SyncError::AlreadyRunning) => {
                sleep(RETRY_PAUSE).await;
                Self::try_acquire_for_new_job(sync).await
            }
            result => result,
        }
    }

    async fn try_acquire_for_new_job(sync: &Sync) -> Result<Self, SyncError> {
        let database = |error: sqlx::Error| {
            log_failure(&error, "begin a sync");
            SyncError::Database
        };
        let guard = Self::try_acquire(sync).await.map_err(database)?.ok_or(SyncError::AlreadyRunning)?;
        match is_job_left(sync).await {
            Ok(false) => Ok(guard),
            result => {
                guard.release().await;
                sync.look_for_jobs.notify_one();
                Err(result.map_or_else(database, |_| SyncError::AlreadyRunning))
            }
        }
    }

    pub(super) async fn release(self) {
        self.lock.release().await;
        drop(self.running);
    }
}

/// Whether a job is to be resumed. An inline job whose worker is gone is not: nobody waits for it any more.
async fn is_job_left(sync: &Sync) -> sqlx::Result<bool> {
    Ok(rows::is_any_running(&sync.pool).await? && !job_work::end_abandoned_inline(&sync.pool).await?)
}

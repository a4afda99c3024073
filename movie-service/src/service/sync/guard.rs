//! One sync at a time over all replicas.

use std::time::Duration;

use tokio::{sync::OwnedMutexGuard, time::sleep};

use crate::{
    database::postgres::DatabaseError,
    repository::{
        job_work, jobs as rows,
        lock::{LockKey, ReplicaLock},
    },
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
    pub(super) async fn try_acquire(sync: &Sync) -> Result<Option<Self>, DatabaseError> {
        let Ok(running) = sync.running.clone().try_lock_owned() else { return Ok(None) };
        let lock = ReplicaLock::try_take(&sync.database, LockKey::Sync).await?;
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
        let guard = Self::try_acquire(sync).await?.ok_or(SyncError::AlreadyRunning)?;
        match is_job_left(sync).await {
            Ok(false) => Ok(guard),
            result => {
                guard.release().await;
                sync.look_for_jobs.notify_one();
                Err(result.map_or_else(SyncError::from, |_| SyncError::AlreadyRunning))
            }
        }
    }

    pub(super) async fn release(self) {
        self.lock.release().await;
        drop(self.running);
    }
}

/// Whether a job is to be resumed. An inline job whose worker is gone is not: nobody waits for it any more.
async fn is_job_left(sync: &Sync) -> Result<bool, DatabaseError> {
    Ok(rows::is_any_running(&sync.database).await? && !job_work::end_abandoned_inline(&sync.database).await?)
}

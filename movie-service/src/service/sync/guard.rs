//! One sync at a time over all replicas.

use std::time::Duration;

use tokio::{sync::OwnedMutexGuard, time::sleep};

use crate::{
    database::postgres::DatabaseError,
    repository::lock::{LockKey, ReplicaLock},
};

use super::Sync;

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

    /// The same, tried twice: who saw a job end may come before its lock is free.
    pub(super) async fn acquire(sync: &Sync) -> Result<Option<Self>, DatabaseError> {
        if let Some(guard) = Self::try_acquire(sync).await? {
            return Ok(Some(guard));
        }
        sleep(RETRY_PAUSE).await;
        Self::try_acquire(sync).await
    }

    pub(super) async fn release(self) {
        self.lock.release().await;
        drop(self.running);
    }
}

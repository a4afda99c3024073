//! Runtimes, which only a call for each movie tells: fetched in the background after a sync, and after a start.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::{sync::Notify, time::sleep};

use crate::{
    database::postgres::{Database, DatabaseError},
    lifecycle::Lifecycle,
    repository::{
        cache::Cache,
        lock::{LockKey, ReplicaLock},
        runtimes::{self, FetchedRuntime, MissingRuntime},
    },
};

use super::{
    movie_editor::invalidate_when_decided,
    tmdb::{Tmdb, TmdbError},
};

/// Movies asked about before the answers are stored.
const BATCH: usize = 40;
/// Failures in a row after which TMDB counts as away; the next sync or start goes on.
const FAILURES_TO_STOP: usize = 10;
/// Pause before asking again whether another replica has finished.
const LOCK_PAUSE: Duration = Duration::from_secs(5);

/// Wakes the background task. Clones wake the same one.
#[derive(Clone)]
pub(super) struct Runtimes {
    wake_up: Arc<Notify>,
}

struct Worker {
    database: Database,
    cache: Cache,
    tmdb: Tmdb,
    concurrency: usize,
    lifecycle: Lifecycle,
}

impl Runtimes {
    /// Starts the task, which begins with what an earlier process left.
    pub(super) fn start(
        database: Database,
        cache: Cache,
        tmdb: Tmdb,
        concurrency: usize,
        lifecycle: Lifecycle,
    ) -> Self {
        let wake_up = Arc::new(Notify::new());
        wake_up.notify_one();
        let worker = Worker { database, cache, tmdb, concurrency, lifecycle: lifecycle.clone() };
        lifecycle.spawn(worker.run(wake_up.clone()));
        Self { wake_up }
    }

    /// There may be something to do.
    pub(super) fn wake(&self) {
        self.wake_up.notify_one();
    }
}

impl Worker {
    async fn run(self, wake_up: Arc<Notify>) {
        let stop = self.lifecycle.stop_token();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = wake_up.notified() => {}
            }
            // A failure is logged where it happens; the next sync or start goes on.
            let _ = self.fetch_all().await;
        }
    }

    /// Fetches what is missing, unless another replica is at it: then when that one has finished.
    async fn fetch_all(&self) -> Result<(), DatabaseError> {
        let stop = self.lifecycle.stop_token();
        // Most starts and syncs leave nothing to do, which needs no lock.
        while !stop.is_cancelled() && !runtimes::list_missing(&self.database, 0, 1).await?.is_empty() {
            if let Some(lock) = ReplicaLock::try_take(&self.database, LockKey::Runtimes).await? {
                let result = self.fetch_all_alone().await;
                lock.release().await;
                return result;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(LOCK_PAUSE) => {}
            }
        }
        Ok(())
    }

    async fn fetch_all_alone(&self) -> Result<(), DatabaseError> {
        let mut after = 0;
        let mut failures = 0;
        let mut stored = 0;
        loop {
            let missing = runtimes::list_missing(&self.database, after, BATCH as i64).await?;
            let Some(last) = missing.last() else { break };
            after = last.id;
            let answers = self.fetch(&missing, &mut failures).await;
            if !answers.is_empty() {
                stored += answers.len();
                let result = runtimes::store(&self.database, &answers).await;
                // Also after a failure: the database may have committed although its answer did not arrive.
                self.cache.invalidate().await;
                if result.is_err() {
                    invalidate_when_decided(&self.database, &self.cache, &self.lifecycle);
                }
                result?;
            }
            if failures >= FAILURES_TO_STOP {
                tracing::warn!(stored, "TMDB gives no runtimes; the next sync or start goes on");
                return Ok(());
            }
            if self.lifecycle.stop_token().is_cancelled() {
                break;
            }
        }
        tracing::info!(stored, "runtimes fetched");
        Ok(())
    }

    /// The answers of a batch, as many as there are before the process stops or TMDB gives out.
    async fn fetch(&self, missing: &[MissingRuntime], failures: &mut usize) -> Vec<FetchedRuntime> {
        let stop = self.lifecycle.stop_token();
        let mut answers = Vec::with_capacity(missing.len());
        let mut calls = stream::iter(missing.to_vec())
            .map(|movie| {
                let tmdb = self.tmdb.clone();
                async move { (movie, tmdb.runtime(movie.tmdb_id).await) }
            })
            .buffer_unordered(self.concurrency);
        while *failures < FAILURES_TO_STOP {
            let answer = tokio::select! {
                biased;
                () = stop.cancelled() => None,
                answer = calls.next() => answer,
            };
            let answer = match answer {
                None => break,
                Some((movie, Ok(minutes))) => Some((movie, minutes)),
                Some((movie, Err(TmdbError::NotFound))) => Some((movie, None)),
                Some((_, Err(TmdbError::Unauthorized))) => {
                    *failures = FAILURES_TO_STOP;
                    None
                }
                Some((movie, Err(error))) => {
                    tracing::debug!(id = movie.id, %error, "no runtime");
                    *failures += 1;
                    None
                }
            };
            if let Some((movie, minutes)) = answer {
                *failures = 0;
                answers.push(FetchedRuntime { movie, minutes });
            }
        }
        answers
    }
}

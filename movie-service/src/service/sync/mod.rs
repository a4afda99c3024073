//! Bringing the catalogue up to date, while somebody waits ([`once`]) or as a job in the background ([`worker`]). Pages
//! are fetched side by side and stored one after the other, each whole or not at all. One at a time, over all replicas.

mod genres;
pub mod jobs;
mod once;
mod progress;
mod worker;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{
    sync::{Mutex, Notify, OwnedMutexGuard},
    time::sleep,
};

use crate::{
    lifecycle::Lifecycle,
    models::{
        genre::UnknownGenre,
        job::{Job, JobId},
        sync::{SyncPlan, SyncReport, SyncRequest},
    },
    repository::{
        cache::Cache,
        job_work, jobs as rows,
        lock::{Guarded, ReplicaLock},
        log_failure,
    },
};

use self::{jobs::Jobs, worker::Worker};
use super::{
    error::Unavailable,
    runtimes::Runtimes,
    source::Source,
    tmdb::{Tmdb, TmdbError},
};

/// Pages fetched side by side.
const CONCURRENCY: usize = 8;
/// Pause before a second try to be the only one.
const TURN_PAUSE: Duration = Duration::from_millis(50);
/// Pause between two looks for a job that was abandoned.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

/// Why a sync changed nothing, or why a page is missing. The texts are shown to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// Another one, here or in another replica, has not ended.
    #[error("a sync is already running")]
    AlreadyRunning,
    /// TMDB did not deliver a single page, or not the genres.
    #[error(transparent)]
    Tmdb(#[from] TmdbError),
    /// It took too long.
    #[error("TMDB was too slow: the sync was given up")]
    TookTooLong,
    /// The service was asked to stop.
    #[error("the service is stopping")]
    Stopping,
    /// The database does not answer; the cause is in the log.
    #[error("database unavailable")]
    Database,
    /// The database does not take this page, and would not take it later either; the cause is in the log.
    #[error("the page could not be stored")]
    Refused,
}

/// Why a sync did not begin, or stored nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncFailure {
    /// `with_genres` names a genre that there is not.
    #[error("there is no such genre")]
    UnknownGenre(UnknownGenre),
    /// Anything else.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

/// Why a job was not asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// There is no such job.
    #[error("job not found")]
    NotFound,
    /// It is too late.
    #[error("the job has ended")]
    Ended,
    /// The database does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The use case. Clones share the same state.
#[derive(Clone)]
pub struct Sync {
    pool: PgPool,
    cache: Cache,
    tmdb: Option<Tmdb>,
    runtimes: Option<Runtimes>,
    lifecycle: Lifecycle,
    running: Arc<Mutex<()>>,
    /// Rung when a job may have been abandoned.
    bell: Arc<Notify>,
    /// What has become of jobs.
    pub jobs: Jobs,
}

/// The right to be the only sync.
struct Turn {
    running: OwnedMutexGuard<()>,
    lock: ReplicaLock,
}

impl Turn {
    async fn end(self) {
        self.lock.release().await;
        drop(self.running);
    }
}

impl Sync {
    /// Takes from TMDB when there is a client, else from the sample. Runtimes that wait are fetched from now on, and a job
    /// that was cut off is gone on with.
    pub fn new(
        pool: PgPool,
        cache: Cache,
        tmdb: Option<Tmdb>,
        runtime_concurrency: usize,
        lifecycle: Lifecycle,
    ) -> Self {
        let runtimes = tmdb
            .clone()
            .map(|tmdb| Runtimes::start(pool.clone(), cache.clone(), tmdb, runtime_concurrency, lifecycle.clone()));
        let (running, bell) = (Arc::default(), Arc::default());
        let jobs = Jobs::new(pool.clone(), lifecycle.clone());
        let this = Self { pool, cache, tmdb, runtimes, lifecycle, running, bell, jobs };
        this.lifecycle.spawn(this.clone().look_after_jobs());
        this
    }

    /// Fetches and stores what is asked for. It runs to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`SyncFailure`]; then nothing was changed.
    pub async fn run(&self, request: SyncRequest) -> Result<SyncReport, SyncFailure> {
        let this = self.clone();
        self.lifecycle
            .run_to_completion(async move {
                let plan = this.plan(&request).await?;
                let turn = this.turn().await?;
                let result = once::run(&this, &plan).await;
                turn.end().await;
                Ok(result?)
            })
            .await
    }

    /// Starts a job.
    ///
    /// # Errors
    /// [`SyncFailure`]; then there is no job, unless the database fell silent just when it was to be made.
    pub async fn start(&self, request: SyncRequest) -> Result<Job, SyncFailure> {
        let this = self.clone();
        self.lifecycle.run_to_completion(async move { this.start_job(&request).await }).await
    }

    async fn start_job(&self, request: &SyncRequest) -> Result<Job, SyncFailure> {
        let plan = self.plan(request).await?;
        // First, since nothing may fail once there is a job.
        let runtimes_left = self.jobs.runtimes_left().await.map_err(|Unavailable| SyncError::Database)?;
        let turn = self.turn().await?;
        let source = Source::new(self.tmdb.as_ref());
        let total = (0..plan.lists()).map(|list| source.pages(&plan.list(list), plan.pages)).sum();
        let created = job_work::create(&self.pool, source.name(), &request.parameters, &plan, total).await;
        let (claim, row) = match created {
            Ok(created) => created,
            Err(error) => {
                log_failure(&error, "create a job");
                turn.end().await;
                return Err(SyncError::Database.into());
            }
        };
        let worker = Worker::new(self.clone(), source, claim, plan, total);
        self.lifecycle.spawn(worker.run(turn));
        Ok(jobs::shown(row, runtimes_left).map_err(|Unavailable| SyncError::Database)?)
    }

    /// Asks a job to stop before its next page, wherever it runs.
    ///
    /// # Errors
    /// [`CancelError`].
    pub async fn cancel(&self, id: JobId) -> Result<Job, CancelError> {
        // First, since nothing may fail once it is asked.
        let runtimes_left = self.jobs.runtimes_left().await?;
        let pool = self.pool.clone();
        let cancelled = self.lifecycle.run_to_completion(async move { rows::cancel(&pool, id).await }).await;
        match cancelled.map_err(|error| jobs::unavailable(&error))? {
            Some(row) => Ok(jobs::shown(row, runtimes_left)?),
            None if self.jobs.find(id).await?.is_some() => Err(CancelError::Ended),
            None => Err(CancelError::NotFound),
        }
    }

    async fn plan(&self, request: &SyncRequest) -> Result<SyncPlan, SyncFailure> {
        let genres = match &request.genres {
            Some(filter) => Some(genres::resolve(self, filter).await?),
            None => None,
        };
        Ok(request.plan(genres))
    }

    /// The right to be the only one, over all replicas. Whoever saw a job end may come before its lock is free.
    async fn turn(&self) -> Result<Turn, SyncError> {
        match self.try_turn().await {
            Err(SyncError::AlreadyRunning) => {
                sleep(TURN_PAUSE).await;
                self.try_turn().await
            }
            result => result,
        }
    }

    /// A job that is abandoned counts as running: it will go on.
    async fn try_turn(&self) -> Result<Turn, SyncError> {
        let database = |error: sqlx::Error| {
            log_failure(&error, "begin a sync");
            SyncError::Database
        };
        let running = self.running.clone().try_lock_owned().map_err(|_| SyncError::AlreadyRunning)?;
        let lock = ReplicaLock::try_take(&self.pool, Guarded::Sync).await.map_err(database)?;
        let turn = Turn { running, lock: lock.ok_or(SyncError::AlreadyRunning)? };
        match rows::is_any_running(&self.pool).await {
            Ok(false) => Ok(turn),
            result => {
                turn.end().await;
                self.bell.notify_one();
                Err(result.map_or_else(database, |_| SyncError::AlreadyRunning))
            }
        }
    }

    /// Goes on with jobs that a crash or a shutdown cut off, here or in another replica.
    async fn look_after_jobs(self) {
        let stop = self.lifecycle.stop_token();
        while !stop.is_cancelled() {
            if let Err(error) = self.take_up().await {
                log_failure(&error, "look for abandoned jobs");
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.bell.notified() => {}
                () = sleep(LOOK_PAUSE) => {}
            }
        }
    }

    async fn take_up(&self) -> sqlx::Result<()> {
        if !rows::is_any_abandoned(&self.pool).await? {
            return Ok(());
        }
        // Taken: then this replica or another one is at it.
        let Ok(running) = self.running.clone().try_lock_owned() else { return Ok(()) };
        let Some(lock) = ReplicaLock::try_take(&self.pool, Guarded::Sync).await? else { return Ok(()) };
        let turn = Turn { running, lock };
        match job_work::take_up(&self.pool).await {
            Ok(Some(work)) => {
                tracing::info!(job = work.claim.id.get(), interruptions = work.interruptions, "going on with a job");
                let worker = Worker::resume(self.clone(), Source::new(self.tmdb.as_ref()), work);
                // A task of its own: should it panic, this one will find the job again.
                self.lifecycle.spawn(worker.run(turn));
                Ok(())
            }
            result => {
                turn.end().await;
                result.map(|_| ())
            }
        }
    }

    /// There may be movies without a runtime.
    fn wake_runtimes(&self) {
        if let Some(runtimes) = &self.runtimes {
            runtimes.wake();
        }
    }
}

//! Bringing the catalogue up to date by jobs, one at a time over all replicas. A synchronous call is a job whose client
//! waits for the report ([`report`]); other jobs run in the background, and are resumed after a crash.

mod error;
mod genres;
mod guard;
mod job_writer;
pub mod jobs;
mod report;
mod worker;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, Notify},
    time::sleep,
};

use crate::{
    database::postgres::{Database, DatabaseError},
    lifecycle::Lifecycle,
    models::{
        job::{Job, JobId},
        sync::{SyncPlan, SyncReport, SyncRequest},
    },
    repository::{
        cache::Cache,
        job_work,
        jobs::{self as rows, JobRow},
    },
};

pub use self::error::{CancelError, SyncError, SyncFailure};
use self::{guard::SyncGuard, jobs::Jobs, report::Report, worker::Worker};
use super::{
    error::Unavailable,
    runtimes::Runtimes,
    source::Source,
    tmdb::{Tmdb, TmdbError},
};

/// Pause between two looks for a job that was abandoned.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

/// The use case. Clones share the same state.
#[derive(Clone)]
pub struct Sync {
    database: Database,
    cache: Cache,
    tmdb: Option<Tmdb>,
    runtimes: Option<Runtimes>,
    lifecycle: Lifecycle,
    running: Arc<Mutex<()>>,
    /// Notified when a job may have been abandoned.
    look_for_jobs: Arc<Notify>,
    /// What has become of jobs.
    pub jobs: Jobs,
}

impl Sync {
    /// Takes from TMDB when there is a client, else from the sample. Missing runtimes are fetched from now on, and a job
    /// that was cut off is resumed.
    pub fn new(
        database: Database,
        cache: Cache,
        tmdb: Option<Tmdb>,
        runtime_concurrency: usize,
        lifecycle: Lifecycle,
    ) -> Self {
        let runtimes = tmdb
            .clone()
            .map(|tmdb| Runtimes::start(database.clone(), cache.clone(), tmdb, runtime_concurrency, lifecycle.clone()));
        let (running, look_for_jobs) = (Arc::default(), Arc::default());
        let jobs = Jobs::new(database.clone(), lifecycle.clone());
        let this = Self { database, cache, tmdb, runtimes, lifecycle, running, look_for_jobs, jobs };
        this.lifecycle.spawn(this.clone().resume_jobs());
        this
    }

    /// Fetches and stores what is asked for, as a job that is waited for. It runs to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`SyncFailure`]; then nothing was changed.
    pub async fn run(&self, request: SyncRequest) -> Result<SyncReport, SyncFailure> {
        let this = self.clone();
        let (report, reported) = Report::new();
        self.lifecycle.run_to_completion(async move { this.enqueue(&request, Some(report)).await }).await?;
        Ok(reported.await.expect("a worker reports unless it panics")?)
    }

    /// Starts a job in the background.
    ///
    /// # Errors
    /// [`SyncFailure`]; then there is no job, unless the database fell silent just when it was to be made.
    pub async fn start(&self, request: SyncRequest) -> Result<Job, SyncFailure> {
        let this = self.clone();
        // First, since nothing may fail once there is a job.
        let starting = async move {
            let plan_error = |Unavailable| SyncError::Database;
            let runtimes_left = this.jobs.runtimes_left().await.map_err(plan_error)?;
            let row = this.enqueue(&request, None).await?;
            Ok(jobs::shown(row, runtimes_left).map_err(plan_error)?)
        };
        self.lifecycle.run_to_completion(starting).await
    }

    /// Makes a job and a worker for it.
    async fn enqueue(&self, request: &SyncRequest, report: Option<Report>) -> Result<JobRow, SyncFailure> {
        let plan = self.plan(request).await?;
        let source = Source::new(self.tmdb.as_ref());
        let new = rows::NewJob {
            source: source.name(),
            parameters: &request.parameters,
            plan: &plan,
            pages_total: (0..plan.lists()).map(|list| source.pages(&plan.list(list), plan.pages)).sum(),
            inline: report.is_some(),
        };
        let guard = SyncGuard::acquire(self).await.map_err(SyncError::from)?.ok_or(SyncError::AlreadyRunning)?;
        match rows::create(&self.database, &new).await {
            Ok(Some((claim, row))) => {
                let pages_total = new.pages_total;
                self.lifecycle.spawn(Worker::new(self.clone(), source, claim, plan, pages_total, report).run(guard));
                Ok(row)
            }
            result => {
                guard.release().await;
                self.look_for_jobs.notify_one();
                Err(result.map_or_else(SyncError::from, |_| SyncError::AlreadyRunning).into())
            }
        }
    }

    /// Asks a job to stop before its next page, wherever it runs.
    ///
    /// # Errors
    /// [`CancelError`].
    pub async fn cancel(&self, id: JobId) -> Result<Job, CancelError> {
        // First, since nothing may fail once it is asked.
        let runtimes_left = self.jobs.runtimes_left().await?;
        let database = self.database.clone();
        let cancelled = self.lifecycle.run_to_completion(async move { rows::cancel(&database, id).await }).await;
        match cancelled.map_err(Unavailable::from)? {
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

    /// Resumes jobs that a crash or a shutdown cut off, here or in another replica.
    async fn resume_jobs(self) {
        let stop = self.lifecycle.stop_token();
        while !stop.is_cancelled() {
            // A failure is logged where it happens, and the next look may succeed.
            let _ = self.resume_job().await;
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.look_for_jobs.notified() => {}
                () = sleep(LOOK_PAUSE) => {}
            }
        }
    }

    async fn resume_job(&self) -> Result<(), DatabaseError> {
        if !rows::is_any_abandoned(&self.database).await? {
            return Ok(());
        }
        // Without it, this replica or another one is working on the job.
        let Some(guard) = SyncGuard::try_acquire(self).await? else { return Ok(()) };
        match job_work::claim(&self.database).await {
            Ok(Some(work)) => {
                tracing::info!(job = work.claim.id.get(), interruptions = work.interruptions, "resuming a job");
                let worker = Worker::resume(self.clone(), Source::new(self.tmdb.as_ref()), work);
                // A task of its own: should it panic, this one will find the job again.
                self.lifecycle.spawn(worker.run(guard));
                Ok(())
            }
            result => {
                guard.release().await;
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

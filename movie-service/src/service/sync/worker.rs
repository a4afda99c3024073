//! Works on a job: fetches its pages side by side, and stores them one after the other. What it has done is in the job's
//! row after each page, so that another worker can resume it there.

use std::{collections::HashSet, future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use crate::{
    models::{
        import::{GenreRecord, MoviePageRecord},
        job::JobError,
        sync::SyncPlan,
    },
    repository::job_work::{self, Claim, Outcome, Position, Work},
};

use super::{
    Source, Sync, SyncError, TmdbError,
    guard::SyncGuard,
    job_writer::{End, JobWriter},
    report::Report,
};

/// Pages fetched side by side.
const CONCURRENCY: usize = 8;
/// Pause between two looks whether the job was cancelled, while TMDB is slow.
const CANCEL_POLL: Duration = Duration::from_secs(1);
/// A job that was cut off more often at the same page is not tried again: the page may be the reason.
const MAX_INTERRUPTIONS: i32 = 3;
/// Longest sync that a client waits for; the gateway waits 120 seconds.
const INLINE_TIMEOUT: Duration = Duration::from_secs(110);

/// Works on a job.
pub(super) struct Worker {
    source: Source,
    writer: JobWriter,
    plan: SyncPlan,
    at: Position,
    /// Why there is nothing to do, when a job is claimed only to be ended.
    over: Option<End>,
    is_any_stored: bool,
    genres: Vec<GenreRecord>,
    /// Movies of the current list.
    stored: HashSet<i32>,
    /// For the client that waits, if one does.
    report: Option<Report>,
    give_up: Option<Instant>,
}

impl Worker {
    /// For a new job of so many pages.
    pub(super) fn new(sync: Sync, source: Source, claim: Claim, plan: SyncPlan, pages_total: u32) -> Self {
        Self {
            source,
            writer: JobWriter::new(sync, claim),
            plan,
            at: Position { pages_total, ..Position::default() },
            over: None,
            is_any_stored: false,
            genres: Vec::new(),
            stored: HashSet::new(),
            report: None,
            give_up: None,
        }
    }

    /// For one whose client waits for `report`.
    pub(super) fn inline(mut self, report: Report) -> Self {
        self.writer.is_inline = true;
        self.report = Some(report);
        self.give_up = Some(Instant::now() + INLINE_TIMEOUT);
        self
    }

    /// For one that was cut off.
    pub(super) fn resume(sync: Sync, source: Source, work: Work) -> Self {
        let over = if work.cancel_requested {
            Some(End::Cancelled)
        } else if work.inline {
            Some(End::GivenUp("given up: the service ended while a client waited".to_owned()))
        } else if work.interruptions > MAX_INTERRUPTIONS {
            Some(End::GivenUp(format!("given up: the job was cut off {} times at this page", work.interruptions)))
        } else if work.source != source.name().as_str() {
            Some(End::GivenUp("given up: the service takes movies from another source now".to_owned()))
        } else if work.plan.is_none() {
            Some(End::GivenUp("given up: the job was planned by another version of the service".to_owned()))
        } else {
            None
        };
        let worker = Self::new(sync, source, work.claim, work.plan.unwrap_or_default(), 0);
        Self { at: work.position, over, is_any_stored: work.pages_done > 0, ..worker }
    }

    /// Works until the job ends or cannot go on here.
    pub(super) async fn run(mut self, guard: SyncGuard) {
        let SyncGuard { running, lock } = guard;
        self.writer.lock = Some(lock);
        let end = match self.over.take() {
            Some(end) => end,
            None => match Box::pin(self.work()).await {
                Ok(()) => End::Completed,
                Err(end) => end,
            },
        };
        if let (Some(report), Some(reason)) = (&mut self.report, end.reason()) {
            report.end_early(&self.plan, self.at, reason);
        }
        self.writer.end(end).await;
        drop(running);
        // Last, so that whoever gets the answer can start the next sync.
        if let Some(report) = self.report {
            report.send(self.source.name());
        }
    }

    async fn work(&mut self) -> Result<(), End> {
        self.genres = match self.wait(self.source.clone().genres()).await? {
            Ok(genres) => genres,
            // They came with the first page.
            Err(_) if self.is_any_stored => Vec::new(),
            Err(error) => return Err(End::failed(error)),
        };
        let begun = self.at;
        for list in begun.list..self.plan.lists() {
            let first = if list == begun.list { begun.page + 1 } else { 1 };
            self.work_list(list, first).await?;
        }
        Ok(())
    }

    /// Fetches the pages of a list from `first` on, a few at a time, and stores them in their order.
    async fn work_list(&mut self, list: u32, first: u32) -> Result<(), End> {
        let discover = Arc::new(self.plan.list(list));
        self.stored.clear();
        self.at.list = list;
        if let Some(report) = &mut self.report {
            report.begin_list();
        }
        let mut next = first;
        if next == 1 {
            // It says how many there are.
            self.at.list_pages = self.source.pages(&discover, self.plan.pages);
            let page = self.source.clone();
            let page = self.wait(page.page(&discover, next)).await?;
            self.take(discover.year, next, page).await?;
            next += 1;
        }
        let source = self.source.clone();
        let mut fetched = stream::iter(next..=self.at.list_pages)
            .map(|page| {
                let (source, discover) = (source.clone(), discover.clone());
                async move { source.page(&discover, page).await }
            })
            .buffered(CONCURRENCY);
        // A page can say that there are fewer.
        while next <= self.at.list_pages
            && let Some(page) = self.wait(fetched.next()).await?
        {
            self.take(discover.year, next, page).await?;
            next += 1;
        }
        Ok(())
    }

    /// Waits for TMDB as long as the job is wanted. Giving up a read loses nothing.
    async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, End> {
        let stop = self.writer.sync.lifecycle.stop_token();
        let mut work = pin!(work);
        loop {
            let pause = match self.give_up {
                Some(give_up) if give_up <= Instant::now() => return Err(End::failed(SyncError::TookTooLong)),
                Some(give_up) => CANCEL_POLL.min(give_up - Instant::now()),
                None => CANCEL_POLL,
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Left(SyncError::Stopping)),
                value = &mut work => return Ok(value),
                () = sleep(pause) => {}
            }
            match job_work::is_cancelled(&self.writer.sync.database, &self.writer.claim).await {
                Ok(Some(true)) => return Err(End::Cancelled),
                Ok(None) => return Err(End::Left(SyncError::Database)),
                // Storing will tell whether the database is away for good.
                Ok(Some(false)) | Err(_) => {}
            }
        }
    }

    /// Stores a page that arrived, and records one that did not.
    async fn take(
        &mut self,
        year: Option<i32>,
        page: u32,
        fetched: Result<MoviePageRecord, TmdbError>,
    ) -> Result<(), End> {
        self.at.page = page;
        let stored = match fetched {
            Ok(fetched) => self.store(page, fetched).await?,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = stored {
            self.record_missing(year, page, error).await?;
        }
        if self.writer.is_cancelled { Err(End::Cancelled) } else { Ok(()) }
    }

    async fn store(&mut self, page: u32, fetched: MoviePageRecord) -> Result<Result<(), SyncError>, End> {
        self.learn_total(fetched.total_pages);
        let MoviePageRecord { mut movies, skipped, .. } = fetched;
        // A movie that moved from one page to the next meanwhile: the first one counts.
        movies.retain(|movie| !self.stored.contains(&movie.tmdb_id));
        let outcome = Outcome::Arrived { genres: &self.genres, movies: &movies, skipped };
        if !self.writer.record(self.at, outcome).await? {
            return Ok(Err(SyncError::Refused));
        }
        // The genres came with the first page.
        self.genres.clear();
        self.is_any_stored = true;
        self.stored.extend(movies.iter().map(|movie| movie.tmdb_id));
        if let Some(report) = &mut self.report {
            report.stored(page, movies.len(), skipped);
        }
        Ok(Ok(()))
    }

    async fn record_missing(&mut self, year: Option<i32>, page: u32, error: SyncError) -> Result<(), End> {
        tracing::warn!(job = self.writer.claim.id.get(), year, page, %error, "a page is missing");
        let missing = JobError { year, page: i32::try_from(page).ok(), error: error.to_string() };
        if !self.writer.record(self.at, Outcome::Missing(&missing)).await? {
            return Err(End::Left(SyncError::Database));
        }
        if let Some(report) = &mut self.report {
            report.failed(year, page, error);
        }
        if error == SyncError::Tmdb(TmdbError::Unauthorized) {
            return Err(End::Failed { error, is_recorded: true });
        }
        Ok(())
    }

    /// The list may be shorter than was asked for.
    fn learn_total(&mut self, total_pages: Option<u32>) {
        let Some(total) = total_pages else { return };
        let list_pages = total.max(self.at.page).min(self.at.list_pages);
        self.at.pages_total = self.at.pages_total.saturating_sub(self.at.list_pages - list_pages);
        self.at.list_pages = list_pages;
    }
}

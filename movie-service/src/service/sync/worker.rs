//! Works on a job: fetches its pages side by side, and stores them one after the other. What it has done is in the job's
//! row after each page, so that another worker can resume it there.

use std::{
    collections::HashSet,
    convert::Infallible,
    future::{Future, pending},
    pin::pin,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use crate::{
    models::{
        import::{GenreRecord, MoviePageRecord},
        job::JobError,
        sync::SyncPlan,
    },
    repository::{
        job_page::Outcome,
        job_work::{self, Claim, Position, Work},
    },
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
/// A job that was cut off so often at the same page is not tried again: the page may be the reason.
const MAX_INTERRUPTIONS: i32 = 4;
/// Longest sync that a client waits for; the gateway waits 120 seconds.
const INLINE_TIMEOUT: Duration = Duration::from_secs(110);

/// A page, or why it is missing.
type Fetched = Result<MoviePageRecord, TmdbError>;

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
    /// For a new job of so many pages; its client waits for `report`, if there is one.
    pub(super) fn new(
        sync: Sync,
        source: Source,
        claim: Claim,
        plan: SyncPlan,
        pages_total: u32,
        report: Option<Report>,
    ) -> Self {
        let is_inline = report.is_some();
        Self {
            source,
            writer: JobWriter { sync, claim, lock: None, checked: None, is_inline, is_cancelled: false },
            plan,
            at: Position { pages_total, ..Position::default() },
            over: None,
            is_any_stored: false,
            genres: Vec::new(),
            stored: HashSet::new(),
            report,
            give_up: is_inline.then(|| Instant::now() + INLINE_TIMEOUT),
        }
    }

    /// For one that was cut off.
    pub(super) fn resume(sync: Sync, source: Source, work: Work) -> Self {
        let given_up = |reason: &str| Some(End::GivenUp(format!("given up: {reason}")));
        let over = match &work {
            Work { cancel_requested: true, .. } => Some(End::Cancelled),
            Work { inline: true, .. } => given_up("the service ended while a client waited"),
            Work { interruptions: times @ MAX_INTERRUPTIONS.., .. } => {
                given_up(&format!("the job was cut off {times} times at this page"))
            }
            Work { plan: None, .. } => given_up("the job was planned by another version of the service"),
            _ if work.source != source.name().as_str() => given_up("the service takes movies from another source now"),
            _ => None,
        };
        let worker = Self::new(sync, source, work.claim, work.plan.unwrap_or_default(), 0, None);
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
        let begun = self.at;
        let (source, discover) = (self.source.clone(), self.plan.list(begun.list));
        // A client that waits does not wait for the genres and the first page in turn.
        let is_beside = self.report.is_some();
        let page = async { if is_beside { Some(source.page(&discover, 1).await) } else { None } };
        let (genres, first_page) = self.wait(async { tokio::join!(source.genres(), page) }).await?;
        self.genres = match genres {
            Ok(genres) => genres,
            // They came with the first page.
            Err(_) if self.is_any_stored => Vec::new(),
            Err(error) => return Err(End::failed(error)),
        };
        self.work_list(begun.list, begun.page + 1, first_page).await?;
        for list in begun.list + 1..self.plan.lists() {
            self.work_list(list, 1, None).await?;
        }
        Ok(())
    }

    /// Fetches the pages of a list from `next` on, a few at a time, and stores them in their order. The first one may have
    /// been fetched already.
    async fn work_list(&mut self, list: u32, mut next: u32, first_page: Option<Fetched>) -> Result<(), End> {
        let discover = self.plan.list(list);
        self.stored.clear();
        self.at.list = list;
        if let Some(report) = &mut self.report {
            report.begin_list();
        }
        let source = self.source.clone();
        if next == 1 {
            // It says how many there are.
            self.at.list_pages = source.pages(&discover, self.plan.pages);
            let page = match first_page {
                Some(page) => page,
                None => self.wait(source.page(&discover, 1)).await?,
            };
            self.take(discover.year, next, page).await?;
            next += 1;
        }
        // Fetching goes on while a page is stored.
        let (sender, mut fetched) = mpsc::channel(1);
        let mut pages =
            stream::iter(next..=self.at.list_pages).map(|page| source.page(&discover, page)).buffered(CONCURRENCY);
        let fetch = async {
            while let Some(page) = pages.next().await
                && sender.send(page).await.is_ok()
            {}
            drop(sender);
            pending::<Infallible>().await
        };
        let store = async {
            // A page can say that there are fewer.
            while next <= self.at.list_pages
                && let Some(page) = self.wait(fetched.recv()).await?
            {
                self.take(discover.year, next, page).await?;
                next += 1;
            }
            Ok(())
        };
        tokio::select! {
            stored = store => stored,
            never = fetch => match never {},
        }
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
    async fn take(&mut self, year: Option<i32>, page: u32, fetched: Fetched) -> Result<(), End> {
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

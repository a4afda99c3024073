//! A sync in the background: it may take hours, and what it has done is in its row after each page. Whoever takes it up
//! goes on behind the last one.

use std::{collections::HashSet, future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use crate::{
    models::{
        import::{GenreRecord, MoviePageRecord},
        job::JobError,
        sync::SyncPlan,
    },
    repository::job_work::{self, Claim, Outcome, Position, Work},
};

use super::{
    CONCURRENCY, Source, Sync, SyncError, TmdbError, Turn,
    progress::{End, Progress},
};

/// Pause between two questions whether the job is still wanted, while TMDB is slow.
const QUESTION_PAUSE: Duration = Duration::from_secs(1);
/// A job that was cut off more often at the same page is not tried again: the page may be the reason.
const MAX_INTERRUPTIONS: i32 = 3;

/// Works on a job.
pub(super) struct Worker {
    source: Source,
    progress: Progress,
    plan: SyncPlan,
    at: Position,
    /// Why there is nothing to do, when a job is taken up only to be ended.
    over: Option<End>,
    is_any_stored: bool,
    genres: Vec<GenreRecord>,
    /// Movies of the present list.
    stored: HashSet<i32>,
}

impl Worker {
    /// For a new job of so many pages.
    pub(super) fn new(sync: Sync, source: Source, claim: Claim, plan: SyncPlan, pages_total: u32) -> Self {
        let at = Position { pages_total, ..Position::default() };
        let (genres, stored) = (Vec::new(), HashSet::new());
        Self {
            source,
            progress: Progress::new(sync, claim),
            plan,
            at,
            over: None,
            is_any_stored: false,
            genres,
            stored,
        }
    }

    /// For one that was cut off.
    pub(super) fn resume(sync: Sync, source: Source, work: Work) -> Self {
        let over = if work.cancel_requested {
            Some(End::Cancelled)
        } else if work.interruptions > MAX_INTERRUPTIONS {
            Some(End::failed(format!("given up: the job was cut off {} times at this page", work.interruptions)))
        } else if work.source != source.name().as_str() {
            Some(End::failed("given up: the service takes movies from another source now".to_owned()))
        } else if work.plan.is_none() {
            Some(End::failed("given up: the job was planned by another version of the service".to_owned()))
        } else {
            None
        };
        let worker = Self::new(sync, source, work.claim, work.plan.unwrap_or_default(), 0);
        Self { at: work.position, over, is_any_stored: work.pages_done > 0, ..worker }
    }

    /// Works until the job ends or cannot go on here.
    pub(super) async fn run(mut self, turn: Turn) {
        let Turn { running, lock } = turn;
        self.progress.lock = Some(lock);
        let end = match self.over.take() {
            Some(end) => end,
            None => match Box::pin(self.work()).await {
                Ok(()) => End::Completed,
                Err(end) => end,
            },
        };
        self.progress.end(end).await;
        drop(running);
    }

    async fn work(&mut self) -> Result<(), End> {
        self.genres = match self.wait(self.source.clone().genres()).await? {
            Ok(genres) => genres,
            // They came with the first page.
            Err(_) if self.is_any_stored => Vec::new(),
            Err(error) => return Err(End::failed(error.to_string())),
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
        let stop = self.progress.sync.lifecycle.stop_token();
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Left),
                value = &mut work => return Ok(value),
                () = sleep(QUESTION_PAUSE) => {}
            }
            match job_work::is_cancelled(&self.progress.sync.pool, &self.progress.claim).await {
                Ok(Some(true)) => return Err(End::Cancelled),
                Ok(None) => return Err(End::Left),
                // Storing will tell whether the database is away for good.
                Ok(Some(false)) | Err(_) => {}
            }
        }
    }

    /// Stores a page that arrived, and notes one that did not.
    async fn take(
        &mut self,
        year: Option<i32>,
        page: u32,
        fetched: Result<MoviePageRecord, TmdbError>,
    ) -> Result<(), End> {
        self.at.page = page;
        let error = match fetched {
            Ok(fetched) => {
                self.learn_total(fetched.total_pages);
                let mut movies = fetched.movies;
                // A movie that moved from one page to the next meanwhile: the first one counts.
                movies.retain(|movie| !self.stored.contains(&movie.tmdb_id));
                let genres = std::mem::take(&mut self.genres);
                if self.progress.record(self.at, Outcome::Arrived(&genres, &movies)).await? {
                    self.is_any_stored = true;
                    self.stored.extend(movies.iter().map(|movie| movie.tmdb_id));
                    return Ok(());
                }
                self.genres = genres;
                SyncError::Refused
            }
            Err(error) => SyncError::Tmdb(error),
        };
        tracing::warn!(job = self.progress.claim.id.get(), year, page, %error, "a page is missing");
        let missing = JobError { year, page: i32::try_from(page).ok(), error: error.to_string() };
        if !self.progress.record(self.at, Outcome::Missing(&missing)).await? {
            return Err(End::Left);
        }
        if error == SyncError::Tmdb(TmdbError::Unauthorized) {
            return Err(End::Failed(None));
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

//! A sync that somebody waits for.

use std::{collections::HashSet, future::Future, ops::RangeInclusive, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    models::{
        import::{GenreRecord, MoviePageRecord, MovieRecord},
        sync::{Discover, FailedPage, SyncPlan, SyncReport},
    },
    repository::{catalogue, log_failure, may_pass},
    service::movie_editor::invalidate_when_decided,
};

use super::{CONCURRENCY, Source, Sync, SyncError, TmdbError};

/// Longest sync; the gateway waits 120 seconds.
const LONGEST_SYNC: Duration = Duration::from_secs(110);
/// Attempts to store a page while the database is not available, and the pause between them.
const STORE_ATTEMPTS: u32 = 3;
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// Fetches and stores what is planned, in the time that the gateway gives.
pub(super) async fn run(sync: &Sync, plan: &SyncPlan) -> Result<SyncReport, SyncError> {
    let source = Source::new(sync.tmdb.as_ref());
    let result = Run::new(sync).sync(&source, plan).await;
    match &result {
        Ok(report) => {
            let (movies, pages, failed) = (report.movies_synced, report.pages, report.failed_pages.len());
            tracing::info!(source = ?report.source, movies, pages, failed, "sync completed");
            sync.wake_runtimes();
        }
        Err(error) => tracing::warn!(%error, "sync failed"),
    }
    result
}

/// One sync under way.
struct Run<'a> {
    sync: &'a Sync,
    give_up: Instant,
    genres: Vec<GenreRecord>,
    stored: HashSet<i32>,
    stored_pages: usize,
    failed: Vec<(Option<i32>, u32, SyncError)>,
}

impl<'a> Run<'a> {
    fn new(sync: &'a Sync) -> Self {
        let give_up = Instant::now() + LONGEST_SYNC;
        Self { sync, give_up, genres: Vec::new(), stored: HashSet::new(), stored_pages: 0, failed: Vec::new() }
    }

    async fn sync(mut self, source: &Source, plan: &SyncPlan) -> Result<SyncReport, SyncError> {
        for number in 0..plan.lists() {
            let list = Arc::new(plan.list(number));
            // The first page says how many there are.
            let page = self.fetch(source.page(&list, 1));
            let first = if number == 0 {
                let (genres, first) = tokio::join!(self.fetch(source.genres()), page);
                self.genres = genres?;
                first
            } else {
                page.await
            };
            let total = first.as_ref().ok().and_then(|page| page.total_pages);
            let last = source.pages(&list, plan.pages).min(total.unwrap_or(u32::MAX).max(1));
            self.take(&list, 1, first).await;
            self.take_rest(source, &list, 2..=last).await;
            if self.is_hopeless() {
                self.give_up_lists(plan, number + 1);
                break;
            }
        }
        self.report(source)
    }

    /// Fetches the other pages of a list, a few at a time, and stores them in their order: the same pages, however they
    /// overlap, make the same catalogue.
    async fn take_rest(&mut self, source: &Source, list: &Arc<Discover>, pages: RangeInclusive<u32>) {
        let (stop, give_up) = (self.sync.lifecycle.stop_token(), self.give_up);
        let mut left = pages.clone();
        let mut fetched = stream::iter(pages)
            .map(|page| {
                let (stop, list) = (stop.clone(), list.clone());
                async move { fetch(source.page(&list, page), stop, give_up).await }
            })
            .buffered(CONCURRENCY);
        while !self.is_hopeless()
            && let Some(result) = fetched.next().await
            && let Some(page) = left.next()
        {
            self.take(list, page, result).await;
        }
        if let Some((_, _, error)) = self.failed.last().copied() {
            self.failed.extend(left.map(|page| (list.year, page, error)));
        }
    }

    /// Names the lists that were not begun, each by its first page.
    fn give_up_lists(&mut self, plan: &SyncPlan, from: u32) {
        if let Some((_, _, error)) = self.failed.last().copied() {
            self.failed.extend((from..plan.lists()).map(|list| (plan.list(list).year, 1, error)));
        }
    }

    /// Whether the next page would fail for the same reason as the last one, only more slowly.
    fn is_hopeless(&self) -> bool {
        use SyncError::{Database, Stopping, TookTooLong};
        let last = self.failed.last().map(|(_, _, error)| *error);
        matches!(last, Some(Database | Stopping | TookTooLong | SyncError::Tmdb(TmdbError::Unauthorized)))
    }

    async fn fetch<T>(&self, call: impl Future<Output = Result<T, TmdbError>>) -> Result<T, SyncError> {
        fetch(call, self.sync.lifecycle.stop_token(), self.give_up).await
    }

    /// Stores a page that arrived, and remembers one that did not.
    async fn take(&mut self, list: &Discover, number: u32, page: Result<MoviePageRecord, SyncError>) {
        let stored = match page {
            Ok(page) => self.store(page).await,
            Err(error) => Err(error),
        };
        if let Err(error) = stored {
            tracing::warn!(page = number, %error, "a page is missing");
            self.failed.push((list.year, number, error));
        }
    }

    async fn store(&mut self, page: MoviePageRecord) -> Result<(), SyncError> {
        let mut movies = page.movies;
        // A movie that moved from one page to the next meanwhile: the first one counts.
        movies.retain(|movie| !self.stored.contains(&movie.tmdb_id));
        let stored = self.store_with_retry(&movies).await;
        // Also after a failure: the database may have committed although its answer did not arrive.
        self.sync.cache.invalidate().await;
        if stored == Err(SyncError::Database) {
            invalidate_when_decided(&self.sync.pool, &self.sync.cache, &self.sync.lifecycle);
        }
        stored?;
        // The genres came with the first page.
        self.genres.clear();
        self.stored.extend(movies.iter().map(|movie| movie.tmdb_id));
        self.stored_pages += 1;
        Ok(())
    }

    async fn store_with_retry(&self, movies: &[MovieRecord]) -> Result<(), SyncError> {
        let mut attempt = 1;
        while let Err(error) = catalogue::store(&self.sync.pool, &self.genres, movies).await {
            log_failure(&error, "store a page");
            if !may_pass(&error) {
                return Err(SyncError::Refused);
            }
            if attempt == STORE_ATTEMPTS {
                return Err(SyncError::Database);
            }
            attempt += 1;
            sleep(STORE_PAUSE).await;
        }
        Ok(())
    }

    fn report(self, source: &Source) -> Result<SyncReport, SyncError> {
        if self.stored_pages == 0 {
            let first = self.failed.into_iter().next();
            return Err(first.map_or(SyncError::Stopping, |(_, _, error)| error));
        }
        let failed = self.failed.into_iter();
        let failed = failed.map(|(year, page, error)| FailedPage { year, page, error: error.to_string() });
        Ok(SyncReport {
            message: "sync completed",
            movies_synced: self.stored.len(),
            pages: self.stored_pages,
            source: source.name(),
            failed_pages: failed.collect(),
        })
    }
}

/// Waits for TMDB, but not beyond the time of the sync or of the process. Giving up a read loses nothing.
async fn fetch<T>(
    call: impl Future<Output = Result<T, TmdbError>>,
    stop: tokio_util::sync::CancellationToken,
    give_up: Instant,
) -> Result<T, SyncError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(SyncError::Stopping),
        result = timeout_at(give_up, call) => match result {
            Ok(result) => Ok(result?),
            Err(_) => Err(SyncError::TookTooLong),
        },
    }
}

//! Bringing the catalogue up to date: pages are fetched side by side and stored one after the other, each whole or not
//! at all. One at a time, over all replicas.

use std::{collections::HashSet, future::Future, ops::RangeInclusive, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use sqlx::PgPool;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    lifecycle::Lifecycle,
    models::{
        import::{GenreRecord, MoviePageRecord, MovieRecord},
        sync::{FailedPage, SyncReport},
    },
    repository::{
        cache::Cache,
        catalogue,
        lock::{Guarded, ReplicaLock},
        log_failure, may_pass,
    },
};

use super::{
    runtimes::Runtimes,
    source::Source,
    tmdb::{Tmdb, TmdbError},
};

/// Pages fetched side by side.
const CONCURRENCY: usize = 8;
/// Longest sync; the gateway waits 120 seconds.
const LONGEST_SYNC: Duration = Duration::from_secs(110);
/// Attempts to store a page while the database is not available, and the pause between them.
const STORE_ATTEMPTS: u32 = 3;
const STORE_PAUSE: Duration = Duration::from_millis(500);

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

/// The use case. Clones share the same state.
#[derive(Clone)]
pub struct Sync {
    pool: PgPool,
    cache: Cache,
    tmdb: Option<Tmdb>,
    runtimes: Option<Runtimes>,
    lifecycle: Lifecycle,
    running: Arc<Mutex<()>>,
}

impl Sync {
    /// Takes from TMDB when there is a client, else from the sample. Runtimes that wait are fetched from now on.
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
        Self { pool, cache, tmdb, runtimes, lifecycle, running: Arc::default() }
    }

    /// Fetches `pages` pages. It runs to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`SyncError`]; then nothing was changed.
    pub async fn run(&self, pages: u32) -> Result<SyncReport, SyncError> {
        let running = self.running.clone().try_lock_owned().map_err(|_| SyncError::AlreadyRunning)?;
        let this = self.clone();
        self.lifecycle
            .finish(async move {
                let result = this.run_alone(pages).await;
                drop(running);
                result
            })
            .await
    }

    async fn run_alone(&self, pages: u32) -> Result<SyncReport, SyncError> {
        let lock = ReplicaLock::try_take(&self.pool, Guarded::Sync)
            .await
            .map_err(|error| {
                log_failure(&error, "begin a sync");
                SyncError::Database
            })?
            .ok_or(SyncError::AlreadyRunning)?;
        let source = Source::new(self.tmdb.as_ref());
        let result = Run::new(self).sync(&source, pages).await;
        lock.release().await;
        match &result {
            Ok(report) => {
                let (movies, pages, failed) = (report.movies_synced, report.pages, report.failed_pages.len());
                tracing::info!(source = ?report.source, movies, pages, failed, "sync completed");
                if let Some(runtimes) = &self.runtimes {
                    runtimes.wake();
                }
            }
            Err(error) => tracing::warn!(%error, "sync failed"),
        }
        result
    }
}

/// One sync under way.
struct Run<'a> {
    sync: &'a Sync,
    give_up: Instant,
    genres: Vec<GenreRecord>,
    stored: HashSet<i32>,
    stored_pages: usize,
    failed: Vec<(u32, SyncError)>,
}

impl<'a> Run<'a> {
    fn new(sync: &'a Sync) -> Self {
        let give_up = Instant::now() + LONGEST_SYNC;
        Self { sync, give_up, genres: Vec::new(), stored: HashSet::new(), stored_pages: 0, failed: Vec::new() }
    }

    async fn sync(mut self, source: &Source, wanted: u32) -> Result<SyncReport, SyncError> {
        // The first page says how many there are.
        let (genres, first) = tokio::join!(self.fetch(source.genres()), self.fetch(source.page(1)));
        self.genres = genres?;
        let total = first.as_ref().ok().and_then(|page| page.total_pages);
        let last = source.pages(wanted).min(total.unwrap_or(u32::MAX).max(1));
        self.take(1, first).await;
        self.take_rest(source, 2..=last).await;
        self.report(source)
    }

    /// Fetches the other pages, a few at a time, and stores them in their order: the same pages, however they
    /// overlap, make the same catalogue.
    async fn take_rest(&mut self, source: &Source, pages: RangeInclusive<u32>) {
        let (stop, give_up) = (self.sync.lifecycle.stop_token(), self.give_up);
        let mut left = pages.clone();
        let mut fetched = stream::iter(pages)
            .map(|page| {
                let stop = stop.clone();
                async move { fetch(source.page(page), stop, give_up).await }
            })
            .buffered(CONCURRENCY);
        while !self.is_hopeless()
            && let Some(result) = fetched.next().await
            && let Some(page) = left.next()
        {
            self.take(page, result).await;
        }
        if let Some((_, error)) = self.failed.last().copied() {
            self.failed.extend(left.map(|page| (page, error)));
        }
    }

    /// Whether the next page would fail for the same reason as the last one, only more slowly.
    fn is_hopeless(&self) -> bool {
        use SyncError::{Database, Stopping, TookTooLong};
        let last = self.failed.last().map(|(_, error)| *error);
        matches!(last, Some(Database | Stopping | TookTooLong | SyncError::Tmdb(TmdbError::Unauthorized)))
    }

    async fn fetch<T>(&self, call: impl Future<Output = Result<T, TmdbError>>) -> Result<T, SyncError> {
        fetch(call, self.sync.lifecycle.stop_token(), self.give_up).await
    }

    /// Stores a page that arrived, and remembers one that did not.
    async fn take(&mut self, number: u32, page: Result<MoviePageRecord, SyncError>) {
        let stored = match page {
            Ok(page) => self.store(page).await,
            Err(error) => Err(error),
        };
        if let Err(error) = stored {
            tracing::warn!(page = number, %error, "a page is missing");
            self.failed.push((number, error));
        }
    }

    async fn store(&mut self, page: MoviePageRecord) -> Result<(), SyncError> {
        let mut movies = page.movies;
        // A movie that moved from one page to the next meanwhile: the first one counts.
        movies.retain(|movie| !self.stored.contains(&movie.tmdb_id));
        let stored = self.store_patiently(&movies).await;
        // Also after a failure: the database may have committed although its answer did not arrive.
        self.sync.cache.invalidate().await;
        stored?;
        // The genres came with the first page.
        self.genres.clear();
        self.stored.extend(movies.iter().map(|movie| movie.tmdb_id));
        self.stored_pages += 1;
        Ok(())
    }

    async fn store_patiently(&self, movies: &[MovieRecord]) -> Result<(), SyncError> {
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
            return Err(first.map_or(SyncError::Stopping, |(_, error)| error));
        }
        let failed = self.failed.into_iter().map(|(page, error)| FailedPage { page, error: error.to_string() });
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

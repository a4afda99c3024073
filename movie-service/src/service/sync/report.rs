//! What the client of a synchronous call is told.

use tokio::sync::oneshot;

use crate::{
    models::sync::{FailedPage, SourceName, SyncPlan, SyncReport},
    repository::job_work::Position,
};

use super::SyncError;

/// The client that waits, and what happened so far.
pub(super) struct Report {
    client: oneshot::Sender<Result<SyncReport, SyncError>>,
    movies: usize,
    pages: usize,
    skipped: usize,
    failed: Vec<(Option<i32>, u32, SyncError)>,
    /// The page of the current list that was dealt with last.
    last_page: u32,
}

impl Report {
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<SyncReport, SyncError>>) {
        let (client, receiver) = oneshot::channel();
        (Self { client, movies: 0, pages: 0, skipped: 0, failed: Vec::new(), last_page: 0 }, receiver)
    }

    pub(super) fn begin_list(&mut self) {
        self.last_page = 0;
    }

    pub(super) fn stored(&mut self, page: u32, movies: usize, skipped: usize) {
        self.last_page = page;
        self.pages += 1;
        self.movies += movies;
        self.skipped += skipped;
    }

    pub(super) fn failed(&mut self, year: Option<i32>, page: u32, error: SyncError) {
        self.last_page = page;
        self.failed.push((year, page, error));
    }

    /// Names the pages that were not tried, when the sync ended early: those left of the current list, and the first one
    /// of each list after it.
    pub(super) fn end_early(&mut self, plan: &SyncPlan, at: Position, reason: SyncError) {
        let year = plan.list(at.list).year;
        self.failed.extend((self.last_page + 1..=at.list_pages).map(|page| (year, page, reason)));
        self.failed.extend((at.list + 1..plan.lists()).map(|list| (plan.list(list).year, 1, reason)));
        if self.failed.is_empty() {
            self.failed.push((year, 1, reason));
        }
    }

    /// Tells the client.
    pub(super) fn send(self, source: SourceName) {
        let (movies, pages, skipped, failed) = (self.movies, self.pages, self.skipped, self.failed.len());
        let result = match self.failed.first() {
            Some((_, _, error)) if pages == 0 => {
                tracing::warn!(%error, "sync failed");
                Err(*error)
            }
            _ => {
                tracing::info!(?source, movies, pages, skipped, failed, "sync completed");
                let failed = self.failed.into_iter();
                let failed = failed.map(|(year, page, error)| FailedPage { year, page, error: error.to_string() });
                Ok(SyncReport {
                    message: "sync completed",
                    movies_synced: movies,
                    pages,
                    source,
                    failed_pages: failed.collect(),
                    skipped,
                })
            }
        };
        // The client may have hung up.
        let _ = self.client.send(result);
    }
}

//! From batches of checked movies to rows and reports.

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{
    models::record::StoredMovie,
    repository::writes::batch,
    service::managing::{ManageError, failed, invalidate_when_decided},
};

use super::{Batch, Bulk, LineError, Report};

/// Stores the batches of one request.
pub(super) struct Storage<'a> {
    bulk: &'a Bulk,
    give_up: Instant,
    /// Why nothing more is stored.
    given_up: Option<LineError>,
    stored: usize,
    failed: usize,
}

impl<'a> Storage<'a> {
    /// No batch waits beyond `give_up` for its turn.
    pub(super) fn new(bulk: &'a Bulk, give_up: Instant) -> Self {
        Self { bulk, give_up, given_up: None, stored: 0, failed: 0 }
    }

    /// Stores batches until there are no more, and reports on each when it is committed. Nobody needs to be there to
    /// read the reports.
    pub(super) async fn store_all(
        mut self,
        mut batches: mpsc::Receiver<Batch>,
        reports: &mpsc::UnboundedSender<Vec<Report>>,
    ) {
        while let Some(batch) = batches.recv().await {
            let _ = reports.send(self.store(batch).await);
        }
        let _ = reports.send(vec![Report::End { stored: self.stored, failed: self.failed }]);
    }

    async fn store(&mut self, batch: Batch) -> Vec<Report> {
        let movies: Vec<&StoredMovie> = batch.iter().filter_map(|(_, movie)| movie.as_ref().ok()).collect();
        let results = self.insert(&movies).await;
        let mut results = results.into_iter();
        let report = |(number, movie): (usize, Result<StoredMovie, LineError>)| {
            let result = movie.and_then(|_| results.next().unwrap_or(Err(LineError::Unavailable)));
            match result {
                Ok(_) => self.stored += 1,
                Err(_) => self.failed += 1,
            }
            Report::Line(number, result)
        };
        batch.into_iter().map(report).collect()
    }

    /// The ids of the movies, or why each has none.
    async fn insert(&mut self, movies: &[&StoredMovie]) -> Vec<Result<i32, LineError>> {
        if movies.is_empty() {
            return Vec::new();
        }
        if self.bulk.lifecycle.stop_token().is_cancelled() {
            self.given_up = Some(LineError::Stopping);
        }
        if let Some(error) = &self.given_up {
            return vec![Err(error.clone()); movies.len()];
        }
        match self.in_turn(movies).await {
            Ok(ids) => ids.into_iter().map(|id| id.ok_or(LineError::TmdbIdTaken)).collect(),
            Err(error) => {
                // The next batch would wait as long for the same answer, which nobody knows the outcome of any better.
                self.given_up = Some(LineError::Unavailable);
                vec![Err(error); movies.len()]
            }
        }
    }

    async fn in_turn(&self, movies: &[&StoredMovie]) -> Result<Vec<Option<i32>>, LineError> {
        let Bulk { pool, cache, lifecycle, turns } = self.bulk;
        let stop = lifecycle.stop_token();
        // First come, first served.
        let turn = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(LineError::Stopping),
            turn = timeout_at(self.give_up, turns.acquire()) => turn,
        };
        let Ok(Ok(_turn)) = turn else { return Err(LineError::Unavailable) };
        let stored = batch::insert(pool, movies).await;
        // Also after a failure: the database may have committed although its answer did not arrive.
        cache.invalidate().await;
        stored.map_err(|error| match failed(error) {
            ManageError::Unconfirmed => {
                invalidate_when_decided(pool, cache, lifecycle);
                LineError::Unconfirmed
            }
            _ => LineError::Unavailable,
        })
    }
}

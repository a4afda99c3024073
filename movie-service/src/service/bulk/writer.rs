//! From batches of checked movies to rows and reports.

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{
    models::stored_movie::StoredMovie,
    repository::writes::{WriteError, batch},
    service::movie_editor::invalidate_when_decided,
};

use super::{Batch, Bulk, LineError, NotTried, Report};

/// Stores the batches of one request.
pub(super) struct Writer<'a> {
    bulk: &'a Bulk,
    deadline: Instant,
    /// Why no further batch is stored.
    given_up: Option<LineError>,
    stored: usize,
    failed: usize,
    not_tried: Option<NotTried>,
}

impl<'a> Writer<'a> {
    /// No batch waits for its permit beyond `deadline`.
    pub(super) fn new(bulk: &'a Bulk, deadline: Instant) -> Self {
        Self { bulk, deadline, given_up: None, stored: 0, failed: 0, not_tried: None }
    }

    /// Stores batches until there are no more, and reports each when it is committed, whether or not anybody reads the
    /// reports.
    pub(super) async fn write_all(
        mut self,
        mut batches: mpsc::Receiver<Batch>,
        reports: &mpsc::UnboundedSender<Vec<Report>>,
    ) {
        while let Some(mut batch) = batches.recv().await {
            self.not_tried = batch.not_tried.take();
            let _ = reports.send(self.write(batch).await);
        }
        let Self { stored, failed, not_tried, .. } = self;
        let _ = reports.send(vec![Report::End { stored, failed, not_tried }]);
    }

    async fn write(&mut self, batch: Batch) -> Vec<Report> {
        let movies: Vec<&StoredMovie> = batch.lines.iter().filter_map(|(_, movie)| movie.as_ref().ok()).collect();
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
        batch.lines.into_iter().map(report).collect()
    }

    /// The id of each movie, or why it has none.
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
        match self.insert_with_permit(movies).await {
            Ok(ids) => ids.into_iter().map(|id| id.ok_or(LineError::TmdbIdTaken)).collect(),
            Err(error) => {
                // The next batch would most likely wait just as long, in vain.
                self.given_up = Some(LineError::Unavailable);
                vec![Err(error); movies.len()]
            }
        }
    }

    async fn insert_with_permit(&self, movies: &[&StoredMovie]) -> Result<Vec<Option<i32>>, LineError> {
        let Bulk { database, cache, lifecycle, write_permits } = self.bulk;
        let stop = lifecycle.stop_token();
        let permit = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(LineError::Stopping),
            permit = timeout_at(self.deadline, write_permits.acquire()) => permit,
        };
        let Ok(Ok(_permit)) = permit else { return Err(LineError::Unavailable) };
        let stored = batch::insert(database, movies).await;
        // Also after a failure: the database may have committed although its answer did not arrive.
        cache.invalidate().await;
        stored.map_err(|error| match error {
            WriteError::Unconfirmed => {
                invalidate_when_decided(database, cache, lifecycle);
                LineError::Unconfirmed
            }
            _ => LineError::Unavailable,
        })
    }
}

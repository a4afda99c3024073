//! The copy of the catalogue that scoring works on, and the task that keeps it fresh.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    models::catalogue::Catalogue,
    peers::{
        PeerError,
        movie_service::{CatalogueResponse, MovieService},
    },
};

/// Longest interval while there is nothing to recommend: whoever has just filled the catalogue is waiting.
const EMPTY_REFRESH_INTERVAL: Duration = Duration::from_millis(250);

/// The newest whole copy. Clones share it.
#[derive(Debug, Clone)]
pub struct CatalogueStore {
    copy: Arc<RwLock<Option<Copy>>>,
    /// Age from which on a copy counts as outdated.
    stale_after: Duration,
}

#[derive(Debug)]
struct Copy {
    catalogue: Arc<Catalogue>,
    /// When movie-service last said that it is up to date.
    confirmed: Instant,
}

impl CatalogueStore {
    /// Without a copy. One that nobody has confirmed for longer than `stale_after` counts as outdated.
    pub fn new(stale_after: Duration) -> Self {
        Self { copy: Arc::default(), stale_after }
    }

    /// The copy, once there is one. It stays as it is while someone works on it, whatever comes after it.
    pub fn current(&self) -> Option<Arc<Catalogue>> {
        let copy = self.copy.read().unwrap_or_else(PoisonError::into_inner);
        copy.as_ref().map(|copy| copy.catalogue.clone())
    }

    /// Whether there is a copy.
    pub fn is_loaded(&self) -> bool {
        self.current().is_some()
    }

    /// How long ago the copy was last known to be up to date.
    pub fn age(&self) -> Option<Duration> {
        let copy = self.copy.read().unwrap_or_else(PoisonError::into_inner);
        copy.as_ref().map(|copy| copy.confirmed.elapsed())
    }

    /// Its age, if that is so long that movie-service must be away.
    pub fn stale_for(&self) -> Option<Duration> {
        self.age().filter(|age| *age > self.stale_after)
    }

    /// Whether there is nothing to recommend: no copy, or one without movies.
    fn has_no_movies(&self) -> bool {
        self.current().is_none_or(|catalogue| catalogue.is_empty())
    }

    /// Notes that the copy is up to date.
    fn confirm(&self) {
        if let Some(copy) = &mut *self.copy.write().unwrap_or_else(PoisonError::into_inner) {
            copy.confirmed = Instant::now();
        }
    }

    fn replace(&self, catalogue: Arc<Catalogue>) {
        let (movies, version, bytes) = (catalogue.len(), catalogue.version().to_owned(), catalogue.heap_bytes());
        let copy = Copy { catalogue, confirmed: Instant::now() };
        let old = self.copy.write().unwrap_or_else(PoisonError::into_inner).replace(copy);
        // Freed after the lock, which may take a moment for a large one.
        drop(old);
        tracing::info!(movies, version, bytes, "new copy of the catalogue");
    }
}

/// Asks for changes every `interval` until `stop`.
pub async fn refresh_periodically(
    store: CatalogueStore,
    peer: MovieService,
    interval: Duration,
    stop: CancellationToken,
) {
    let refreshing = async {
        let mut refresher = Refresher { store: store.clone(), peer, tag: None, takes_changes: true };
        let mut failing = false;
        loop {
            let result = refresher.refresh().await;
            log_change(&result, &mut failing, store.is_loaded());
            sleep(if store.has_no_movies() { interval.min(EMPTY_REFRESH_INTERVAL) } else { interval }).await;
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = refreshing => {}
    }
}

struct Refresher {
    store: CatalogueStore,
    peer: MovieService,
    /// What movie-service calls the copy.
    tag: Option<String>,
    /// Cleared by an answer that could not be used: the next one is to be whole, in case that changes do not fit.
    takes_changes: bool,
}

impl Refresher {
    async fn refresh(&mut self) -> Result<(), PeerError> {
        let base = self.store.current().filter(|_| self.takes_changes);
        let response = self.peer.catalogue(self.tag.as_deref(), base).await;
        self.takes_changes = !matches!(response, Err(PeerError::Malformed(_)));
        match response? {
            CatalogueResponse::NotModified => self.store.confirm(),
            CatalogueResponse::Modified(catalogue, tag) => {
                self.store.replace(catalogue);
                self.tag = tag;
            }
        }
        Ok(())
    }
}

/// One line when it starts to fail and one when it is over, not one every other second.
fn log_change(result: &Result<(), PeerError>, failing: &mut bool, has_copy: bool) {
    match result {
        Ok(()) if *failing => tracing::info!("movie-service is back"),
        Err(error) if !*failing => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%error, cause, has_copy, "no catalogue from movie-service; trying again");
        }
        Err(error) => tracing::debug!(%error, "still no catalogue from movie-service"),
        Ok(()) => {}
    }
    *failing = result.is_err();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::catalogue_builder::CatalogueBuilder;

    #[test]
    fn a_copy_is_stale_when_nobody_has_confirmed_it_for_long() {
        let store = CatalogueStore::new(Duration::from_secs(30));
        assert_eq!(store.stale_for(), None, "there is none");
        let catalogue = || Arc::new(CatalogueBuilder::new("1-1".into(), Vec::new()).expect("no genres").finish());
        let confirmations: [&dyn Fn(); 3] =
            [&|| store.replace(catalogue()), &|| store.confirm(), &|| store.replace(catalogue())];
        for confirm in confirmations {
            confirm();
            for (seconds, is_stale) in [(29, false), (2, true)] {
                let mut copy = store.copy.write().expect("not poisoned");
                copy.as_mut().expect("there is one").confirmed -= Duration::from_secs(seconds);
                drop(copy);
                assert_eq!(store.stale_for().map(|age| age.as_secs()), is_stale.then_some(31));
            }
        }
    }
}

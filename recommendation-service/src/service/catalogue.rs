//! The copy of the catalogue that scoring works on, and the task that keeps it fresh.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
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
#[derive(Debug, Clone, Default)]
pub struct CatalogueStore(Arc<RwLock<Option<Arc<Catalogue>>>>);

impl CatalogueStore {
    /// The copy, once there is one. It stays as it is while someone works on it, whatever comes after it.
    pub fn current(&self) -> Option<Arc<Catalogue>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is a copy.
    pub fn is_loaded(&self) -> bool {
        self.current().is_some()
    }

    /// Whether there is nothing to recommend: no copy, or one without movies.
    fn has_no_movies(&self) -> bool {
        self.current().is_none_or(|catalogue| catalogue.is_empty())
    }

    fn replace(&self, catalogue: Arc<Catalogue>) {
        let (movies, version, bytes) = (catalogue.len(), catalogue.version().to_owned(), catalogue.heap_bytes());
        let old = self.0.write().unwrap_or_else(PoisonError::into_inner).replace(catalogue);
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
        let mut tag = None;
        let mut failing = false;
        loop {
            let result = refresh(&store, &peer, &mut tag).await;
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

async fn refresh(store: &CatalogueStore, peer: &MovieService, tag: &mut Option<String>) -> Result<(), PeerError> {
    if let CatalogueResponse::Modified(catalogue, new_tag) = peer.catalogue(tag.as_deref()).await? {
        store.replace(catalogue);
        *tag = new_tag;
    }
    Ok(())
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

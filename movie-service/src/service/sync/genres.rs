//! What `with_genres` means to TMDB.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    models::{
        genre::{Genre, GenreFilter},
        sync::TmdbGenres,
    },
    repository::genres::{self, KnownGenre},
};

use super::{Source, Sync, SyncError, SyncFailure};

/// Longest wait for TMDB's genres; the client's own request ends after half a minute.
const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// The genres that a filter names, under TMDB's ids. As long as the catalogue has none, names mean TMDB's.
pub(super) async fn resolve(sync: &Sync, filter: &GenreFilter) -> Result<TmdbGenres, SyncFailure> {
    let mut known = genres::known(&sync.database).await.map_err(SyncError::from)?;
    if known.is_empty() {
        known = of_source(sync).await?;
    }
    let genres: Vec<Genre> =
        known.iter().map(|KnownGenre { id, name, .. }| Genre { id: *id, name: name.clone() }).collect();
    let ids = filter.resolve("with_genres", &genres).map_err(SyncFailure::UnknownGenre)?;
    let tmdb_id = |id: &i32| known.iter().find(|genre| genre.id == *id).map(|genre| genre.tmdb_id);
    Ok(TmdbGenres { all: filter.all, ids: ids.iter().filter_map(tmdb_id).collect() })
}

/// They have no ids of the platform's own yet: negative ones can be named by nobody.
async fn of_source(sync: &Sync) -> Result<Vec<KnownGenre>, SyncError> {
    let source = Source::new(sync.tmdb.as_ref());
    let stop = sync.lifecycle.stop_token();
    let genres = tokio::select! {
        biased;
        () = stop.cancelled() => return Err(SyncError::Stopping),
        genres = timeout(WAIT_TIMEOUT, source.genres()) => genres.map_err(|_| SyncError::TookTooLong)??,
    };
    let mut known: Vec<KnownGenre> = genres
        .into_iter()
        .map(|genre| KnownGenre { id: -genre.tmdb_id, tmdb_id: genre.tmdb_id, name: genre.name })
        .collect();
    known.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(known)
}

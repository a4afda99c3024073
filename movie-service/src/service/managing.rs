//! Creating, replacing, changing and deleting single movies.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::sleep;

use crate::{
    lifecycle::Lifecycle,
    models::{
        draft::{Draft, Patch},
        etag::Tagged,
        genre::{KnownGenres, UnknownGenre},
        movie::{MovieDetail, MovieId},
        precondition::Precondition,
        record::StoredMovie,
    },
    repository::{
        cache::Cache,
        genres, log_failure,
        writes::{self, Current, Editing, WriteError},
    },
};

use super::movies::json;

/// Pause between two questions whether a change that was not confirmed is decided.
const DECISION_PAUSE: Duration = Duration::from_secs(1);

/// Why a movie was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManageError {
    /// There is no such movie.
    #[error("there is no such movie")]
    NotFound,
    /// The movie is not what its author has seen.
    #[error("the movie has changed")]
    Changed,
    /// Another movie has its id at TMDB.
    #[error("another movie has this id at TMDB")]
    TmdbIdTaken,
    /// It names a genre that there is not.
    #[error("there is no such genre")]
    UnknownGenre(UnknownGenre),
    /// The database does not work; nothing was changed.
    #[error("the database is not available")]
    Unavailable,
    /// The database got the change and did not confirm it: it may be stored or not.
    #[error("the change was not confirmed")]
    Unconfirmed,
}

/// A movie as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The platform's own id.
    pub id: i32,
    /// The movie, the very bytes that are sent to whoever asks for it.
    pub json: Tagged,
}

/// What becomes of a movie that is there.
enum Change {
    Replace(Draft),
    Patch(Patch),
}

/// The use cases. Clones share the same state.
#[derive(Clone)]
pub struct Managing {
    pool: PgPool,
    cache: Cache,
    lifecycle: Lifecycle,
}

impl Managing {
    /// Writes to `pool`, and makes what is in `cache` invalid.
    pub fn new(pool: PgPool, cache: Cache, lifecycle: Lifecycle) -> Self {
        Self { pool, cache, lifecycle }
    }

    /// Creates a movie.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn create(&self, draft: Draft) -> Result<Written, ManageError> {
        let movie = draft.create(&self.known_genres().await?).map_err(ManageError::UnknownGenre)?;
        let this = self.clone();
        let creating = async move {
            let result = writes::insert(&this.pool, &movie).await;
            this.published(result).await.map(Written::of)
        };
        self.lifecycle.run_to_completion(creating).await
    }

    /// Puts a movie in place of the one with this id.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn replace(
        &self,
        id: Option<MovieId>,
        draft: Draft,
        only_if: Precondition,
    ) -> Result<Written, ManageError> {
        self.change(id, Change::Replace(draft), only_if).await
    }

    /// Changes some fields of a movie.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn patch(
        &self,
        id: Option<MovieId>,
        patch: Patch,
        only_if: Precondition,
    ) -> Result<Written, ManageError> {
        self.change(id, Change::Patch(patch), only_if).await
    }

    /// Deletes a movie. `id` is `None` where no movie can have the number that was asked for.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn delete(&self, id: Option<MovieId>, only_if: Precondition) -> Result<(), ManageError> {
        let id = id.ok_or(ManageError::NotFound)?;
        let this = self.clone();
        let deleting = async move {
            let (editing, _) = this.begin(id, &only_if).await?;
            let result = editing.delete().await;
            this.published(result).await
        };
        self.lifecycle.run_to_completion(deleting).await
    }

    async fn change(&self, id: Option<MovieId>, change: Change, only_if: Precondition) -> Result<Written, ManageError> {
        let known = self.known_genres().await?;
        // The genres are among the values of the body, which are judged before it is known whether the movie exists.
        change.clone_over(&StoredMovie::default(), &known)?;
        let id = id.ok_or(ManageError::NotFound)?;
        let this = self.clone();
        let changing = async move {
            let (editing, current) = this.begin(id, &only_if).await?;
            let movie = change.clone_over(&current.stored, &known)?;
            if movie == current.stored {
                return Ok(Written::of(current.detail));
            }
            let result = editing.replace(&movie).await;
            this.published(result).await.map(Written::of)
        };
        self.lifecycle.run_to_completion(changing).await
    }

    /// Begins with a movie that is what its author has seen.
    async fn begin(&self, id: MovieId, only_if: &Precondition) -> Result<(Editing<'_>, Current), ManageError> {
        let found = Editing::begin(&self.pool, id).await.map_err(failed)?;
        let (editing, current) = found.ok_or(ManageError::NotFound)?;
        if !only_if.is_none() && !only_if.allows(&json(&current.detail).etag) {
            return Err(ManageError::Changed);
        }
        Ok((editing, current))
    }

    /// Makes what was cached invalid, also after a failure, unless all that failed was a check.
    async fn published<T>(&self, result: Result<T, WriteError>) -> Result<T, ManageError> {
        if !matches!(result, Err(WriteError::TmdbIdTaken)) {
            self.cache.invalidate().await;
        }
        if matches!(result, Err(WriteError::Unconfirmed(_))) {
            invalidate_when_decided(&self.pool, &self.cache, &self.lifecycle);
        }
        result.map_err(failed)
    }

    async fn known_genres(&self) -> Result<KnownGenres, ManageError> {
        let genres = genres::all(&self.pool).await.map_err(|error| failed(WriteError::NotStored(error)))?;
        Ok(KnownGenres::new(genres))
    }
}

impl Change {
    fn clone_over(&self, old: &StoredMovie, known: &KnownGenres) -> Result<StoredMovie, ManageError> {
        let movie = match self {
            Self::Replace(draft) => draft.clone().replace(old, known),
            Self::Patch(patch) => patch.clone().apply(old, known),
        };
        movie.map_err(ManageError::UnknownGenre)
    }
}

impl Written {
    fn of(detail: MovieDetail) -> Self {
        Self { id: detail.id, json: json(&detail) }
    }
}

/// A change that was not confirmed may become visible later than what is cached meanwhile. So the cache is made invalid once
/// more when it is decided; the next start does so anyway.
pub(super) fn invalidate_when_decided(pool: &PgPool, cache: &Cache, lifecycle: &Lifecycle) {
    let (pool, cache, stop) = (pool.clone(), cache.clone(), lifecycle.stop_token());
    let deciding = async move {
        while writes::wait_for_others(&pool).await.is_err() {
            sleep(DECISION_PAUSE).await;
        }
        cache.invalidate().await;
    };
    lifecycle.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = deciding => {}
        }
    });
}

/// What a failed write means; the cause is logged here.
pub(super) fn failed(error: WriteError) -> ManageError {
    match error {
        WriteError::TmdbIdTaken => ManageError::TmdbIdTaken,
        WriteError::NotStored(error) => {
            log_failure(&error, "write a movie");
            ManageError::Unavailable
        }
        WriteError::Unconfirmed(error) => {
            log_failure(&error, "have a write confirmed");
            ManageError::Unconfirmed
        }
    }
}

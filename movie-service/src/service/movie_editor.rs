//! Creating, replacing, changing and deleting single movies.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::{
        draft::{Draft, Patch},
        genre::{KnownGenres, UnknownGenre},
        movie::{Movie, MovieId},
        stored_movie::StoredMovie,
    },
    repository::{
        cache::Cache,
        writes::{self, Current, Edit, WriteError},
    },
};

/// Pause between two attempts to find out whether an unconfirmed change is decided.
const DECISION_PAUSE: Duration = Duration::from_secs(1);

/// Why a movie was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such movie.
    #[error("there is no such movie")]
    NotFound,
    /// The movie does not meet the condition.
    #[error("the movie has changed")]
    Changed,
    /// Another movie has its id at TMDB.
    #[error("another movie has this id at TMDB")]
    TmdbIdTaken,
    /// It names an unknown genre.
    #[error("there is no such genre")]
    UnknownGenre(UnknownGenre),
    /// The database does not work; nothing was changed.
    #[error("the database is not available")]
    Unavailable,
    /// The database got the change and did not confirm it: it may be stored or not.
    #[error("the change was not confirmed")]
    Unconfirmed,
}

/// What a movie must be before it is changed.
pub trait Condition: FnOnce(&Movie) -> bool + Send + 'static {}

impl<F: FnOnce(&Movie) -> bool + Send + 'static> Condition for F {}

/// How an existing movie is changed.
enum Change {
    Replace(Draft),
    Patch(Patch),
}

/// The use cases. Clones share the same state.
#[derive(Clone)]
pub struct MovieEditor {
    database: Database,
    cache: Cache,
    lifecycle: Lifecycle,
}

impl MovieEditor {
    /// Writes to `database` and invalidates `cache`.
    pub fn new(database: Database, cache: Cache, lifecycle: Lifecycle) -> Self {
        Self { database, cache, lifecycle }
    }

    /// Creates a movie.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create(&self, draft: Draft) -> Result<Movie, EditError> {
        let this = self.clone();
        let create = async move {
            let movie = |known: &KnownGenres| draft.create(known).map_err(EditError::UnknownGenre);
            let inserted = writes::insert(&this.database, movie).await;
            this.invalidate_after(inserted).await
        };
        self.lifecycle.run_to_completion(create).await
    }

    /// Puts a movie in place of the one with this id.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn replace(
        &self,
        id: Option<MovieId>,
        draft: Draft,
        only_if: impl Condition,
    ) -> Result<Movie, EditError> {
        self.change(id, Change::Replace(draft), only_if).await
    }

    /// Changes some fields of a movie.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn patch(&self, id: Option<MovieId>, patch: Patch, only_if: impl Condition) -> Result<Movie, EditError> {
        self.change(id, Change::Patch(patch), only_if).await
    }

    /// Deletes a movie. `id` is `None` where no movie can have the number that was asked for.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn delete(&self, id: Option<MovieId>, only_if: impl Condition) -> Result<(), EditError> {
        let id = id.ok_or(EditError::NotFound)?;
        let decide = move |_: &KnownGenres, current: Option<&Current>| {
            check_precondition(current, only_if)?;
            Ok(Edit::Delete)
        };
        self.edit(Some(id), decide).await.map(drop)
    }

    async fn change(&self, id: Option<MovieId>, change: Change, only_if: impl Condition) -> Result<Movie, EditError> {
        let decide = move |known: &KnownGenres, current: Option<&Current>| {
            // The genres are among the values of the body, which are checked before it is known whether the movie exists.
            change.apply_to(&StoredMovie::default(), known)?;
            let current = check_precondition(current, only_if)?;
            let movie = change.apply_to(&current.stored, known)?;
            Ok(if movie == current.stored { Edit::Keep } else { Edit::Replace(Box::new(movie)) })
        };
        self.edit(id, decide).await?.ok_or(EditError::NotFound)
    }

    /// The movie after the edit; `None` when it was deleted.
    async fn edit(
        &self,
        id: Option<MovieId>,
        decide: impl FnOnce(&KnownGenres, Option<&Current>) -> Result<Edit, EditError> + Send + 'static,
    ) -> Result<Option<Movie>, EditError> {
        let this = self.clone();
        let edit = async move {
            let edited = writes::edit(&this.database, id, decide).await;
            this.invalidate_after(edited).await
        };
        self.lifecycle.run_to_completion(edit).await
    }

    /// Invalidates what is cached unless it is certain that nothing was written.
    async fn invalidate_after<T>(&self, result: Result<Result<T, EditError>, WriteError>) -> Result<T, EditError> {
        if !matches!(result, Ok(Err(_)) | Err(WriteError::TmdbIdTaken)) {
            self.cache.invalidate().await;
        }
        if matches!(result, Err(WriteError::Unconfirmed)) {
            invalidate_when_decided(&self.database, &self.cache, &self.lifecycle);
        }
        result?
    }
}

/// The movie, if it exists and is the version that its author has seen.
fn check_precondition(current: Option<&Current>, only_if: impl Condition) -> Result<&Current, EditError> {
    let current = current.ok_or(EditError::NotFound)?;
    if only_if(&current.detail) { Ok(current) } else { Err(EditError::Changed) }
}

impl Change {
    fn apply_to(&self, old: &StoredMovie, known: &KnownGenres) -> Result<StoredMovie, EditError> {
        let movie = match self {
            Self::Replace(draft) => draft.clone().replace(old, known),
            Self::Patch(patch) => patch.clone().apply(old, known),
        };
        movie.map_err(EditError::UnknownGenre)
    }
}

impl From<WriteError> for EditError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::TmdbIdTaken => Self::TmdbIdTaken,
            WriteError::NotStored => Self::Unavailable,
            WriteError::Unconfirmed => Self::Unconfirmed,
        }
    }
}

/// A change that was not confirmed may become visible later than what is cached meanwhile. So the cache is made invalid once
/// more when it is decided; the next start does so anyway.
pub(super) fn invalidate_when_decided(database: &Database, cache: &Cache, lifecycle: &Lifecycle) {
    let (database, cache, stop) = (database.clone(), cache.clone(), lifecycle.stop_token());
    let deciding = async move {
        while writes::wait_for_writers(&database).await.is_err() {
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

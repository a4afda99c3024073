//! Writing movies that people manage. Each write is one transaction, and its error says whether it may have been stored.

pub mod batch;
mod edit;

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{Connection, PgConnection};

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{genre::KnownGenres, movie::Movie, stored_movie::StoredMovie},
};

use super::{genres, movies};

pub use edit::{Current, Edit, edit};

/// The constraint that keeps ids at TMDB unique.
const TMDB_ID_KEY: &str = "movies_tmdb_id_key";

/// Why a write failed. The cause is logged where it is made, by [`Database::write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Another movie has this id at TMDB. Nothing was stored.
    #[error("another movie has this id at TMDB")]
    TmdbIdTaken,
    /// Nothing was stored.
    #[error("the database did not store it")]
    NotStored,
    /// It was sent, and no answer came: it may be stored or not.
    #[error("the database did not confirm that it was stored")]
    Unconfirmed,
}

impl From<DatabaseError> for WriteError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Constraint(name) if name == TMDB_ID_KEY => Self::TmdbIdTaken,
            DatabaseError::Unconfirmed(_) => Self::Unconfirmed,
            _ => Self::NotStored,
        }
    }
}

impl WriteError {
    /// Of a transaction: before its COMMIT is sent nothing can be stored.
    fn of_transaction(error: DatabaseError, committing: &AtomicBool) -> Self {
        match Self::from(error) {
            Self::Unconfirmed if !committing.load(Ordering::Relaxed) => Self::NotStored,
            error => error,
        }
    }
}

/// Stores the movie that `create` makes with the known genres, and gives it as it is shown. Must run in a task that
/// nobody drops: see `Lifecycle::run_to_completion`.
///
/// # Errors
/// [`WriteError`].
pub async fn insert<E: From<WriteError>>(
    database: &Database,
    create: impl FnOnce(&KnownGenres) -> Result<StoredMovie, E>,
) -> Result<Result<Movie, E>, WriteError> {
    let committing = AtomicBool::new(false);
    let work = async |connection: &mut PgConnection| {
        let known = KnownGenres::new(genres::all_in(&mut *connection).await?);
        let movie = match create(&known) {
            Ok(movie) => movie,
            Err(error) => return Ok(Err(error)),
        };
        let mut transaction = connection.begin().await?;
        let [Some(id)] = batch::insert_in(&mut transaction, &[&movie]).await?[..] else {
            return transaction.rollback().await.map(|()| Err(WriteError::TmdbIdTaken.into()));
        };
        let detail = movies::find_in(&mut transaction, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        committing.store(true, Ordering::Relaxed);
        transaction.commit().await?;
        Ok(Ok(detail))
    };
    database.write("store a movie", work).await.map_err(|error| WriteError::of_transaction(error, &committing))
}

/// Waits until the writes that others have begun are decided: a writer holds this lock until its change is visible, or
/// gone.
///
/// # Errors
/// When the database does not answer, or others take too long.
pub async fn wait_for_writers(database: &Database) -> Result<(), DatabaseError> {
    let wait = async |connection: &mut PgConnection| {
        sqlx::query!("SELECT FROM catalogue_state FOR SHARE").execute(connection).await.map(drop)
    };
    database.read("wait for other writers", wait).await
}

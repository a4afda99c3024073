//! Writing movies that people manage. Each write is one transaction, and its error says whether it may have been stored.

pub mod batch;
mod edit;

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{Connection, PgConnection, Postgres, Row, postgres::PgArguments, query::Query};

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
pub async fn insert<E>(
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
        let id = insert_row(&mut transaction, &movie).await?;
        let detail = link_and_read(&mut transaction, id, &movie).await?;
        committing.store(true, Ordering::Relaxed);
        transaction.commit().await?;
        Ok(Ok(detail))
    };
    database.write("store a movie", work).await.map_err(|error| WriteError::of_transaction(error, &committing))
}

async fn insert_row(connection: &mut PgConnection, movie: &StoredMovie) -> sqlx::Result<i32> {
    let insert = "
        INSERT INTO movies (title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                            original_language, vote_average, vote_count, runtime, tmdb_id, locked_fields)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id";
    of_movie(insert, movie).fetch_one(connection).await?.try_get("id")
}

/// A statement whose first values are the fields of a movie.
fn of_movie<'a>(sql: &'static str, movie: &'a StoredMovie) -> Query<'a, Postgres, PgArguments> {
    sqlx::query(sql)
        .bind(&movie.title)
        .bind(&movie.original_title)
        .bind(&movie.overview)
        .bind(movie.release_date)
        .bind(movie.popularity)
        .bind(&movie.poster_path)
        .bind(&movie.backdrop_path)
        .bind(&movie.language)
        .bind(movie.vote_average)
        .bind(movie.vote_count)
        .bind(movie.runtime)
        .bind(movie.tmdb_id)
        .bind(movie.locks.names().collect::<Vec<_>>())
}

/// Makes the genres of a movie those of its record, and reads it as it is shown.
async fn link_and_read(connection: &mut PgConnection, id: i32, movie: &StoredMovie) -> sqlx::Result<Movie> {
    sqlx::query(
        "WITH removed AS (
             DELETE FROM movie_genres WHERE movie_id = $1 AND genre_id <> ALL ($2)
         )
         INSERT INTO movie_genres (movie_id, genre_id) SELECT $1, genre_id FROM unnest($2) AS genre_id
         ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(&movie.genre_ids)
    .execute(&mut *connection)
    .await?;
    movies::find_in(connection, id).await?.ok_or(sqlx::Error::RowNotFound)
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

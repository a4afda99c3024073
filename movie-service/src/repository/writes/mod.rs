//! Writing what people manage. Each write is one transaction, and says what is known when it fails.

pub mod batch;
mod editing;

use sqlx::{PgConnection, PgPool, Postgres, Row, Transaction, postgres::PgArguments, query::Query};

use crate::{
    database::postgres::within,
    models::{movie::MovieDetail, record::StoredMovie},
};

use super::{limits, movies};

pub use editing::{Current, Editing};

/// The constraint that keeps ids at TMDB unique.
const TMDB_ID_KEY: &str = "movies_tmdb_id_key";

/// Why a write failed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another movie has this id at TMDB. Nothing was stored.
    #[error("another movie has this id at TMDB")]
    TmdbIdTaken,
    /// Nothing was stored.
    #[error("the database did not store it")]
    NotStored(#[source] sqlx::Error),
    /// It was to be stored, and no answer came: whether it was is not known.
    #[error("the database did not confirm that it was stored")]
    Unconfirmed(#[source] sqlx::Error),
}

impl From<sqlx::Error> for WriteError {
    /// Of a statement before the commit.
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(|error| error.constraint()) {
            Some(TMDB_ID_KEY) => Self::TmdbIdTaken,
            _ => Self::NotStored(error),
        }
    }
}

/// Stores a new movie and gives it as it is shown.
///
/// # Errors
/// [`WriteError`].
pub async fn insert(pool: &PgPool, movie: &StoredMovie) -> Result<MovieDetail, WriteError> {
    let inserting = async {
        let mut transaction = pool.begin().await?;
        let id = insert_row(&mut transaction, movie).await?;
        let detail = link_and_read(&mut transaction, id, movie).await?;
        Ok((transaction, detail))
    };
    let (transaction, detail) = limits::one_transaction(pool, inserting).await?;
    commit(pool, transaction).await?;
    Ok(detail)
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
async fn link_and_read(connection: &mut PgConnection, id: i32, movie: &StoredMovie) -> sqlx::Result<MovieDetail> {
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

/// Commits. Until COMMIT is sent, nothing can have been stored; after that only its answer tells.
async fn commit(pool: &PgPool, transaction: Transaction<'_, Postgres>) -> Result<(), WriteError> {
    match within(limits::statement(pool), transaction.commit()).await {
        Ok(()) => Ok(()),
        Err(error @ sqlx::Error::Database(_)) => Err(error.into()),
        Err(error) => Err(WriteError::Unconfirmed(error)),
    }
}

/// Waits until what other writers have begun is decided: each keeps its turn until its change is visible, or gone.
///
/// # Errors
/// When the database does not answer, or others take too long.
pub async fn wait_for_others(pool: &PgPool) -> sqlx::Result<()> {
    let waiting = sqlx::query("SELECT FROM catalogue_state FOR SHARE").execute(pool);
    limits::one_statement(pool, waiting).await.map(drop)
}

/// Judges the failure of a statement that is a transaction of its own.
fn of_one_statement(error: sqlx::Error) -> WriteError {
    match error {
        error @ sqlx::Error::Database(_) => error.into(),
        error => WriteError::Unconfirmed(error),
    }
}

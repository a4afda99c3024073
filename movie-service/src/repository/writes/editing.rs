//! Changing a movie that is there: it is locked, looked at, and then changed, in one transaction.

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::models::{
    movie::{MovieDetail, MovieId},
    record::StoredMovie,
};

use super::{WriteError, commit, limits, link_and_read, movies, of_movie};

/// A movie that nobody else can change until this is over. Dropped, it changes nothing.
pub struct Editing<'a> {
    pool: &'a PgPool,
    transaction: Transaction<'a, Postgres>,
    id: i32,
}

/// A movie as it is now.
pub struct Current {
    /// As it is stored.
    pub stored: StoredMovie,
    /// As it is shown.
    pub detail: MovieDetail,
}

impl<'a> Editing<'a> {
    /// Begins with a movie; `None` when there is no such one.
    ///
    /// # Errors
    /// [`WriteError::NotStored`].
    pub async fn begin(pool: &'a PgPool, id: MovieId) -> Result<Option<(Self, Current)>, WriteError> {
        let id = id.get();
        let beginning = async {
            let mut transaction = pool.begin().await?;
            let current = lock(&mut transaction, id).await?;
            Ok(current.map(|current| (Self { pool, transaction, id }, current)))
        };
        Ok(limits::one_transaction(pool, beginning).await?)
    }

    /// Makes it this movie, and gives it as it is shown then.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn replace(self, movie: &StoredMovie) -> Result<MovieDetail, WriteError> {
        let Self { pool, mut transaction, id } = self;
        let replacing = async {
            update_row(&mut transaction, id, movie).await?;
            let detail = link_and_read(&mut transaction, id, movie).await?;
            Ok((transaction, detail))
        };
        let (transaction, detail) = limits::one_transaction(pool, replacing).await?;
        commit(pool, transaction).await?;
        Ok(detail)
    }

    /// Deletes it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete(self) -> Result<(), WriteError> {
        let Self { pool, mut transaction, id } = self;
        let deleting = sqlx::query("DELETE FROM movies WHERE id = $1").bind(id).execute(&mut *transaction);
        limits::one_statement(pool, deleting).await?;
        commit(pool, transaction).await
    }
}

/// Takes the writers' turn, before the lock of any row as every writer does, and then looks.
async fn lock(connection: &mut PgConnection, id: i32) -> sqlx::Result<Option<Current>> {
    sqlx::query("SELECT FROM catalogue_state FOR UPDATE").execute(&mut *connection).await?;
    let stored: Option<StoredMovie> = sqlx::query_as(
        "SELECT title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                original_language AS language, vote_average, vote_count, runtime, tmdb_id, locked_fields AS locks,
                ARRAY(SELECT genre_id FROM movie_genres WHERE movie_id = id ORDER BY genre_id) AS genre_ids
         FROM movies WHERE id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let detail = movies::find_in(connection, id).await?;
    Ok(stored.zip(detail).map(|(stored, detail)| Current { stored, detail }))
}

async fn update_row(connection: &mut PgConnection, id: i32, movie: &StoredMovie) -> sqlx::Result<()> {
    // Not now(): that is when the transaction began, and it may have waited for another one. What TMDB has no runtime for
    // may have one under another id.
    let update = "
        UPDATE movies
        SET title = $1, original_title = $2, overview = $3, release_date = $4, popularity = $5, poster_path = $6,
            backdrop_path = $7, original_language = $8, vote_average = $9, vote_count = $10, runtime = $11,
            runtime_checked_at = CASE WHEN tmdb_id = $12 THEN runtime_checked_at END,
            tmdb_id = $12, locked_fields = $13, updated_at = clock_timestamp()
        WHERE id = $14";
    of_movie(update, movie).bind(id).execute(connection).await?;
    Ok(())
}

//! Changing an existing movie: it is locked, read and then changed, in one transaction.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{Connection, PgConnection};

use crate::{
    database::postgres::Database,
    models::{
        genre::KnownGenres,
        movie::{Movie, MovieId},
        stored_movie::StoredMovie,
    },
};

use super::{WriteError, genres, link_and_read, movies, of_movie};

/// A movie as it is now.
pub struct Current {
    /// As it is stored.
    pub stored: StoredMovie,
    /// As it is shown.
    pub detail: Movie,
}

/// What to do with a movie.
pub enum Edit {
    /// Nothing.
    Keep,
    /// Store this in its place.
    Replace(Box<StoredMovie>),
    /// Delete it.
    Delete,
}

/// Locks a movie, has `decide` say what to do with it, and does that. The result is the movie afterwards, `None` when
/// it was deleted, or the error of `decide`, which must fail where there is no movie. All statements share one deadline.
/// Must run in a task that nobody drops: see `Lifecycle::run_to_completion`.
///
/// # Errors
/// [`WriteError`].
pub async fn edit<E>(
    database: &Database,
    id: Option<MovieId>,
    decide: impl FnOnce(&KnownGenres, Option<&Current>) -> Result<Edit, E>,
) -> Result<Result<Option<Movie>, E>, WriteError> {
    let committing = AtomicBool::new(false);
    let work = async |connection: &mut PgConnection| {
        let known = KnownGenres::new(genres::all_in(&mut *connection).await?);
        let mut transaction = connection.begin().await?;
        let current = match id {
            Some(id) => lock(&mut transaction, id.get()).await?,
            None => None,
        };
        let edit = match decide(&known, current.as_ref()) {
            Ok(edit) => edit,
            Err(error) => return transaction.rollback().await.map(|()| Err(error)),
        };
        let current = current.ok_or(sqlx::Error::RowNotFound)?;
        let id = current.detail.id;
        let detail = match edit {
            Edit::Keep => return transaction.rollback().await.map(|()| Ok(Some(current.detail))),
            Edit::Replace(movie) => {
                update_row(&mut transaction, id, &movie).await?;
                Some(link_and_read(&mut transaction, id, &movie).await?)
            }
            Edit::Delete => {
                sqlx::query("DELETE FROM movies WHERE id = $1").bind(id).execute(&mut *transaction).await?;
                None
            }
        };
        committing.store(true, Ordering::Relaxed);
        transaction.commit().await?;
        Ok(Ok(detail))
    };
    database.write("change a movie", work).await.map_err(|error| WriteError::of_transaction(error, &committing))
}

/// Waits for other writers, before the lock of any row as every writer does, and reads the movie.
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

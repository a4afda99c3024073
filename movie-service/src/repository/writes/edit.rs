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

use super::{WriteError, genres, movies};

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
                update(&mut transaction, id, &movie).await?;
                movies::find_in(&mut transaction, id).await?
            }
            Edit::Delete => {
                sqlx::query!("DELETE FROM movies WHERE id = $1", id).execute(&mut *transaction).await?;
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
    sqlx::query!("SELECT FROM catalogue_state FOR UPDATE").execute(&mut *connection).await?;
    let stored = sqlx::query_as!(
        StoredMovie,
        r#"SELECT title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                  original_language AS language, vote_average, vote_count, runtime, tmdb_id,
                  locked_fields AS "locks: Vec<String>",
                  ARRAY(SELECT genre_id FROM movie_genres WHERE movie_id = id ORDER BY genre_id) AS "genre_ids!"
           FROM movies WHERE id = $1 FOR UPDATE"#,
        id
    )
    .fetch_optional(&mut *connection)
    .await?;
    let detail = movies::find_in(connection, id).await?;
    Ok(stored.zip(detail).map(|(stored, detail)| Current { stored, detail }))
}

/// Makes a movie and its genres what is stored. Not now(): that is when the transaction began, and it may have waited for
/// another one. What TMDB has no runtime for may have one under another id.
async fn update(connection: &mut PgConnection, id: i32, movie: &StoredMovie) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH unlinked AS (
             DELETE FROM movie_genres WHERE movie_id = $1 AND genre_id <> ALL ($15)
         ), linked AS (
             INSERT INTO movie_genres (movie_id, genre_id) SELECT $1, genre_id FROM unnest($15::int[]) AS genre_id
             ON CONFLICT DO NOTHING
         )
         UPDATE movies
         SET title = $2, original_title = $3, overview = $4, release_date = $5, popularity = $6, poster_path = $7,
             backdrop_path = $8, original_language = $9, vote_average = $10, vote_count = $11, runtime = $12,
             runtime_checked_at = CASE WHEN tmdb_id = $13 THEN runtime_checked_at END,
             tmdb_id = $13, locked_fields = $14, updated_at = clock_timestamp()
         WHERE id = $1",
        id,
        movie.title,
        movie.original_title,
        movie.overview,
        movie.release_date,
        movie.popularity,
        movie.poster_path,
        movie.backdrop_path,
        movie.language,
        movie.vote_average,
        movie.vote_count,
        movie.runtime,
        movie.tmdb_id,
        movie.locks.names().collect::<Vec<_>>() as _,
        &movie.genre_ids
    )
    .execute(connection)
    .await?;
    Ok(())
}

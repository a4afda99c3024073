//! Reading one movie.

use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::movie::{Movie, MovieId, TmdbId},
};

/// The query for the movie that a condition on `$1` names.
macro_rules! movie_where {
    ($condition:literal, $id:expr) => {
        sqlx::query_as!(
            Movie,
            r#"SELECT m.id, m.title, m.overview, m.release_date, m.popularity, m.poster_path, m.backdrop_path,
                      m.original_language, m.runtime, m.tmdb_id, m.original_title, m.rating, m.vote_count,
                      m.locked_fields, m.created_at, m.updated_at,
                      ARRAY(SELECT g.name FROM movie_genres mg JOIN genres g ON g.id = mg.genre_id
                            WHERE mg.movie_id = m.id ORDER BY g.name COLLATE "C") AS "genres!"
               FROM movies m WHERE "#
                + $condition,
            $id
        )
    };
}

/// One movie with the names of its genres.
///
/// # Errors
/// When the database does not answer.
pub async fn find(database: &Database, id: MovieId) -> Result<Option<Movie>, DatabaseError> {
    database.read("read a movie", async |connection: &mut PgConnection| find_in(connection, id.get()).await).await
}

/// The same by its id at TMDB.
///
/// # Errors
/// As [`find`].
pub async fn find_by_tmdb_id(database: &Database, id: TmdbId) -> Result<Option<Movie>, DatabaseError> {
    let find =
        async |connection: &mut PgConnection| movie_where!("m.tmdb_id = $1", id.get()).fetch_optional(connection).await;
    database.read("read a movie by its id at TMDB", find).await
}

/// As [`find`], on a connection whose owner limits the time.
///
/// # Errors
/// When the database does not answer.
pub async fn find_in(connection: &mut PgConnection, id: i32) -> sqlx::Result<Option<Movie>> {
    movie_where!("m.id = $1", id).fetch_optional(connection).await
}

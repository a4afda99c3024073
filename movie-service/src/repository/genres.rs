//! Reading genres.

use sqlx::{PgExecutor, PgPool};

use crate::models::genre::{Genre, GenreList};

use super::limits;

/// All genres, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn all(pool: &PgPool) -> sqlx::Result<Vec<Genre>> {
    limits::one_statement(pool, all_in(pool)).await
}

/// As [`all`], on a connection whose caller limits the time.
pub(super) async fn all_in(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Genre>> {
    sqlx::query_as(r#"SELECT id, name FROM genres ORDER BY name COLLATE "C", id"#).fetch_all(executor).await
}

/// All genres with the number of their movies, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn list(pool: &PgPool) -> sqlx::Result<GenreList> {
    let genres = sqlx::query_as(
        r#"SELECT g.id, g.name, COALESCE(linked.movies, 0) AS movies
           FROM genres g
           LEFT JOIN (SELECT genre_id, count(*) AS movies FROM movie_genres GROUP BY genre_id) linked
                  ON linked.genre_id = g.id
           ORDER BY g.name COLLATE "C", g.id"#,
    );
    Ok(GenreList { genres: limits::one_statement(pool, genres.fetch_all(pool)).await? })
}

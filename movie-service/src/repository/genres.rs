//! Reading genres.

use sqlx::PgPool;

use crate::models::genre::Genre;

/// All genres, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn all(pool: &PgPool) -> sqlx::Result<Vec<Genre>> {
    sqlx::query_as(r#"SELECT id, name FROM genres ORDER BY name COLLATE "C", id"#).fetch_all(pool).await
}

//! What the list needs to know of the catalogue as a whole.

use sqlx::{Connection, PgConnection, PgExecutor, Postgres, Transaction};

/// The secret that cursors are signed with.
///
/// # Errors
/// When the database does not answer.
pub async fn cursor_secret(database: impl PgExecutor<'_>) -> sqlx::Result<Vec<u8>> {
    sqlx::query_scalar!("SELECT cursor_secret FROM catalogue_state").fetch_one(database).await
}

/// The highest id of a movie; `None` when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn highest_id(database: impl PgExecutor<'_>) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar!("SELECT max(id) FROM movies").fetch_one(database).await
}

/// A transaction whose statements all see the same moment.
///
/// # Errors
/// When the database does not answer.
pub async fn snapshot(connection: &mut PgConnection) -> sqlx::Result<Transaction<'_, Postgres>> {
    connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
}

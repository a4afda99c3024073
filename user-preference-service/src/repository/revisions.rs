//! The table `user_revisions`, which triggers keep.

use crate::{
    database::postgres::{Database, DatabaseError},
    models::revision::Revision,
};

/// The revisions of those of the users who exist, by user: `<epoch>-<number>`.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn find_many(database: &Database, users: &[i64]) -> Result<Vec<Revision>, DatabaseError> {
    let statement = sqlx::query_as!(
        Revision,
        r#"SELECT r.user_id, e.epoch || '-' || r.revision AS "revision!"
           FROM user_revisions r CROSS JOIN database_epoch e
           WHERE r.user_id = ANY ($1)
           ORDER BY r.user_id"#,
        users
    );
    database.read("find revisions", async |connection| statement.fetch_all(connection).await).await
}

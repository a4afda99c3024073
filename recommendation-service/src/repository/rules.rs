//! The table `recommendation_rules`.

use crate::{
    database::postgres::{Database, DatabaseError},
    models::rule::Rule,
};

/// The active rules by type, then by id.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn list_active(database: &Database) -> Result<Vec<Rule>, DatabaseError> {
    let statement = sqlx::query_as!(
        Rule,
        r#"SELECT id, name, weight, rule_type, is_active, created_at
           FROM recommendation_rules
           WHERE is_active
           ORDER BY rule_type COLLATE "C", id"#
    );
    database.read("list rules", async |connection| statement.fetch_all(connection).await).await
}

/// All rules, also those that are not active, by type, then by id.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn list_all(database: &Database) -> Result<Vec<Rule>, DatabaseError> {
    let statement = sqlx::query_as!(
        Rule,
        r#"SELECT id, name, weight, rule_type, is_active, created_at
           FROM recommendation_rules
           ORDER BY rule_type COLLATE "C", id"#
    );
    database.read("list rules", async |connection| statement.fetch_all(connection).await).await
}

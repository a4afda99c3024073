//! The table `recommendation_rules`.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::with_timeout;
use crate::models::rule::Rule;

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    weight: f64,
    rule_type: String,
    is_active: bool,
    created_at: DateTime<Utc>,
}

/// The active rules by type, then by id.
///
/// # Errors
/// When PostgreSQL cannot answer.
pub async fn list_active(pool: &PgPool) -> sqlx::Result<Vec<Rule>> {
    let mut connection = pool.acquire().await?;
    let statement = sqlx::query_as(
        r#"SELECT id, name, weight, rule_type, is_active, created_at
             FROM recommendation_rules
            WHERE is_active
            ORDER BY rule_type COLLATE "C", id"#,
    );
    let rows: Vec<Row> = with_timeout(statement.fetch_all(&mut *connection)).await?;
    Ok(rows.into_iter().map(Rule::from).collect())
}

impl From<Row> for Rule {
    fn from(row: Row) -> Self {
        let Row { id, name, weight, rule_type, is_active, created_at } = row;
        Self { id, name, weight, rule_type, is_active, created_at }
    }
}

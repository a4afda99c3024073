//! The table `recommendation_rules`, as it is read. Changes are in [`super::rule_edits`].

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        rule::{Rule, RuleId},
        rule_edit::{HistoryPage, RuleChange},
    },
};

/// Which rules are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleFilter<'a> {
    /// Of this variant; `None` for all.
    pub variant: Option<&'a str>,
    /// Also those that are not active.
    pub inactive: bool,
}

/// The active rules of the default variant by type, then by id.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn list_active(database: &Database) -> Result<Vec<Rule>, DatabaseError> {
    list(database, RuleFilter { variant: Some(""), inactive: false }).await
}

/// Rules by variant, then by type, then by id.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn list(database: &Database, filter: RuleFilter<'_>) -> Result<Vec<Rule>, DatabaseError> {
    let statement = sqlx::query_as!(
        Rule,
        r#"SELECT id, name, weight, rule_type, is_active, variant, created_at, updated_at
           FROM recommendation_rules
           WHERE ($1::text IS NULL OR variant = $1) AND (is_active OR $2::boolean)
           ORDER BY variant COLLATE "C", rule_type COLLATE "C", id"#,
        filter.variant,
        filter.inactive
    );
    database.read("list rules", async |connection| statement.fetch_all(connection).await).await
}

/// The rule, if there is one.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn find(database: &Database, id: RuleId) -> Result<Option<Rule>, DatabaseError> {
    let statement = sqlx::query_as!(
        Rule,
        "SELECT id, name, weight, rule_type, is_active, variant, created_at, updated_at
         FROM recommendation_rules
         WHERE id = $1",
        id.get()
    );
    database.read("find a rule", async |connection| statement.fetch_optional(connection).await).await
}

/// Changes of a rule, newest first; also of one that is deleted.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn history(database: &Database, page: HistoryPage) -> Result<Vec<RuleChange>, DatabaseError> {
    let statement = sqlx::query_as!(
        RuleChange,
        "SELECT id, rule_id, revision, action, name, weight, rule_type, is_active, variant, changed_at
         FROM recommendation_rule_changes
         WHERE rule_id = $1 AND id < $2
         ORDER BY id DESC
         LIMIT $3",
        page.rule.get(),
        page.before,
        page.limit
    );
    database.read("list changes of a rule", async |connection| statement.fetch_all(connection).await).await
}

/// Whether there is or was such a rule.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn has_history(database: &Database, id: RuleId) -> Result<bool, DatabaseError> {
    let statement = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM recommendation_rule_changes WHERE rule_id = $1) AS "exists!""#,
        id.get()
    );
    database.read("find changes of a rule", async |connection| statement.fetch_one(connection).await).await
}

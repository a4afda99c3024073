//! Changes of the table `recommendation_rules`. Triggers count the revision and write the history.
//!
//! Each of these opens a transaction, so it must run in a task that nobody drops: see `Lifecycle::run_to_completion`.

use sqlx::{Connection, PgConnection};

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        rule::{Rule, RuleId},
        rule_edit::{NewRule, RulePatch},
    },
};

/// Two rules of a variant may not have the same name.
pub const NAME_KEY: &str = "recommendation_rules_variant_name_key";

/// What came of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Edited {
    /// The rule as it is now.
    Stored(Rule),
    /// There is no such rule; nothing was changed.
    NoSuchRule,
    /// Another active rule of the variant has the type; nothing was changed.
    TypeTaken,
}

/// Stores a rule.
///
/// # Errors
/// [`DatabaseError::Constraint`] with [`NAME_KEY`] when the name is taken.
pub async fn insert(database: &Database, rule: &NewRule) -> Result<Edited, DatabaseError> {
    let work = async |connection: &mut PgConnection| {
        let mut transaction = connection.begin().await?;
        lock(&mut transaction).await?;
        let stored = sqlx::query_as!(
            Rule,
            "INSERT INTO recommendation_rules (name, weight, rule_type, is_active, variant)
             VALUES ($1, $2, $3, $4, $5)
             RETURNING id, name, weight, rule_type, is_active, variant, created_at, updated_at",
            rule.name.as_str(),
            rule.weight.get(),
            rule.rule_type.name(),
            rule.is_active,
            rule.variant.as_str()
        );
        let stored = stored.fetch_one(&mut *transaction).await?;
        if has_active_twin(&mut transaction, &stored).await? {
            return transaction.rollback().await.map(|()| Edited::TypeTaken);
        }
        transaction.commit().await.map(|()| Edited::Stored(stored))
    };
    database.write("create a rule", work).await
}

/// Changes the fields that `patch` has.
///
/// # Errors
/// [`DatabaseError::Constraint`] with [`NAME_KEY`] when the name is taken.
pub async fn update(database: &Database, id: RuleId, patch: &RulePatch) -> Result<Edited, DatabaseError> {
    let work = async |connection: &mut PgConnection| {
        let mut transaction = connection.begin().await?;
        lock(&mut transaction).await?;
        let stored = sqlx::query_as!(
            Rule,
            "UPDATE recommendation_rules
             SET name = COALESCE($2, name),
                 weight = COALESCE($3, weight),
                 rule_type = COALESCE($4, rule_type),
                 is_active = COALESCE($5, is_active),
                 variant = COALESCE($6, variant)
             WHERE id = $1
             RETURNING id, name, weight, rule_type, is_active, variant, created_at, updated_at",
            id.get(),
            patch.name.as_ref().map(|name| name.as_str()),
            patch.weight.map(|weight| weight.get()),
            patch.rule_type.map(|rule_type| rule_type.name()),
            patch.is_active,
            patch.variant.as_ref().map(|variant| variant.as_str())
        );
        let Some(stored) = stored.fetch_optional(&mut *transaction).await? else {
            return transaction.rollback().await.map(|()| Edited::NoSuchRule);
        };
        if has_active_twin(&mut transaction, &stored).await? {
            return transaction.rollback().await.map(|()| Edited::TypeTaken);
        }
        transaction.commit().await.map(|()| Edited::Stored(stored))
    };
    database.write("change a rule", work).await
}

/// Deletes a rule. Says whether there was one.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn delete(database: &Database, id: RuleId) -> Result<bool, DatabaseError> {
    let statement = sqlx::query!("DELETE FROM recommendation_rules WHERE id = $1", id.get());
    let work = async |connection: &mut PgConnection| statement.execute(connection).await;
    Ok(database.write("delete a rule", work).await?.rows_affected() > 0)
}

/// Writers take turns. A statement of its own, because a statement does not see what was committed while it waited.
pub(super) async fn lock(connection: &mut PgConnection) -> sqlx::Result<()> {
    let statement = sqlx::query!("SELECT revision FROM recommendation_rules_revision FOR UPDATE");
    statement.fetch_one(connection).await?;
    Ok(())
}

/// Whether an active rule has another active one of its type and variant beside it. Not a unique index, since a database
/// that was filled by SQL may have such rules; they go on counting together.
async fn has_active_twin(connection: &mut PgConnection, rule: &Rule) -> sqlx::Result<bool> {
    let statement = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM recommendation_rules
               WHERE is_active AND $4::boolean AND rule_type = $1 AND variant = $2 AND id <> $3
           ) AS "exists!""#,
        rule.rule_type,
        rule.variant,
        rule.id,
        rule.is_active
    );
    statement.fetch_one(connection).await
}

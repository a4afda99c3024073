//! Changes of rules. One is acknowledged when it is in effect on every replica: see [`super::rule_freshness`].

use tokio::time::sleep;

use super::{ServiceError, rule_freshness::ACKNOWLEDGE_AFTER};
use crate::{
    database::postgres::{Database, DatabaseError},
    lifecycle::Lifecycle,
    models::{
        rule::{Rule, RuleId},
        rule_edit::{NewRule, RulePatch},
    },
    repository::rule_edits::{self, Edited, NAME_KEY},
};

/// Changes rules. Clones share everything.
#[derive(Clone)]
pub struct RuleEditor {
    database: Database,
    lifecycle: Lifecycle,
}

impl RuleEditor {
    /// On this database; changes under way are waited for at the end of `lifecycle`.
    pub fn new(database: Database, lifecycle: Lifecycle) -> Self {
        Self { database, lifecycle }
    }

    /// Where the rules are.
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// Stores a rule.
    ///
    /// # Errors
    /// [`ServiceError`]: its name or its type is taken, or the database does not work.
    pub async fn create(&self, rule: NewRule) -> Result<Rule, ServiceError> {
        let database = self.database.clone();
        self.acknowledge(async move { stored(rule_edits::insert(&database, &rule).await) }).await
    }

    /// Changes the fields that `patch` has.
    ///
    /// # Errors
    /// [`ServiceError`]: there is no such rule, its name or its type is taken, or the database does not work.
    pub async fn update(&self, id: RuleId, patch: RulePatch) -> Result<Rule, ServiceError> {
        let database = self.database.clone();
        self.acknowledge(async move { stored(rule_edits::update(&database, id, &patch).await) }).await
    }

    /// Deletes a rule; its history stays.
    ///
    /// # Errors
    /// [`ServiceError`]: there is no such rule, or the database does not work.
    pub async fn delete(&self, id: RuleId) -> Result<(), ServiceError> {
        let database = self.database.clone();
        let delete = async move {
            if rule_edits::delete(&database, id).await? { Ok(()) } else { Err(ServiceError::NoSuchRule) }
        };
        self.acknowledge(delete).await
    }

    /// Returns once no replica uses a copy from before the change.
    pub(super) async fn acknowledge<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let changed = self.lifecycle.run_to_completion(change).await?;
        sleep(ACKNOWLEDGE_AFTER).await;
        Ok(changed)
    }
}

fn stored(edited: Result<Edited, DatabaseError>) -> Result<Rule, ServiceError> {
    match edited {
        Ok(Edited::Stored(rule)) => Ok(rule),
        Ok(Edited::NoSuchRule) => Err(ServiceError::NoSuchRule),
        Ok(Edited::TypeTaken) => Err(ServiceError::RuleTypeTaken),
        Err(DatabaseError::Constraint(name)) if name == NAME_KEY => Err(ServiceError::RuleNameTaken),
        Err(error) => Err(error.into()),
    }
}

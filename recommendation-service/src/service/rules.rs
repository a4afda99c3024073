//! The rules: read from PostgreSQL for those who ask, and a copy of their weights for scoring, kept fresh.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    ServiceError,
    pipeline::weights::{LearnedRule, Weights, learned_rules},
    rule_freshness::RuleFreshness,
    rule_set::{RuleSet, RuleSets},
};
use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        experiment::Experiment,
        feedback::FeedbackSettings,
        rule::{Rule, RuleId},
        rule_edit::{HistoryPage, RuleChange},
        user_id::UserId,
    },
    repository::{self, rules::RuleFilter},
};

/// The rules and the weights that follow from them. Clones share them.
#[derive(Debug, Clone)]
pub struct RuleStore {
    database: Database,
    feedback: FeedbackSettings,
    rules: Arc<RwLock<Arc<RuleSets>>>,
    freshness: Arc<RuleFreshness>,
}

impl RuleStore {
    /// Reads the rules for the first time.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not work.
    pub async fn load(database: Database, feedback: FeedbackSettings) -> Result<Self, DatabaseError> {
        let freshness = Arc::new(RuleFreshness::new(Instant::now()));
        let (experiment, rules) = repository::experiments::current_with_rules(&database).await?;
        let rules = RuleSets::new(&rules, feedback, experiment);
        Ok(Self { database, feedback, rules: Arc::new(RwLock::new(Arc::new(rules))), freshness })
    }

    /// Rules, as they are in PostgreSQL now.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn list(&self, filter: RuleFilter<'_>) -> Result<Vec<Rule>, ServiceError> {
        Ok(repository::rules::list(&self.database, filter).await?)
    }

    /// The rules of a variant that learn from feedback, with what they count.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn learned(&self, variant: &str) -> Result<Vec<LearnedRule>, ServiceError> {
        let all = RuleFilter { variant: Some(variant), inactive: true };
        Ok(learned_rules(&repository::rules::list(&self.database, all).await?))
    }

    /// What each kind of feedback says.
    pub fn feedback(&self) -> FeedbackSettings {
        self.feedback
    }

    /// A rule, as it is in PostgreSQL now.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchRule`] or [`ServiceError::Database`].
    pub async fn find(&self, id: RuleId) -> Result<Rule, ServiceError> {
        repository::rules::find(&self.database, id).await?.ok_or(ServiceError::NoSuchRule)
    }

    /// Changes of a rule, newest first; also of one that is deleted.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchRule`] when there never was such a rule, or [`ServiceError::Database`].
    pub async fn history(&self, page: HistoryPage) -> Result<Vec<RuleChange>, ServiceError> {
        let changes = repository::rules::history(&self.database, page).await?;
        if changes.is_empty() && !repository::rules::has_history(&self.database, page.rule).await? {
            return Err(ServiceError::NoSuchRule);
        }
        Ok(changes)
    }

    /// Returns when every change that was acknowledged before the call is in the copy. While PostgreSQL is away, the last
    /// copy stays in use, and nobody waits.
    pub async fn usable(&self) {
        self.freshness.usable().await;
    }

    /// The default weights as they were a moment ago; never waits.
    pub fn weights(&self) -> Weights {
        self.set_of(None).weights
    }

    /// What lists for a user are scored by, or those for who is no user, as it was a moment ago; never waits.
    pub fn set_of(&self, user: Option<UserId>) -> Arc<RuleSet> {
        self.current().of(user).clone()
    }

    fn current(&self) -> Arc<RuleSets> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn apply(&self, rules: &[Rule], experiment: Option<Experiment>) {
        let rules = RuleSets::new(rules, self.feedback, experiment);
        if rules != *self.current() {
            tracing::info!(weights = ?rules.of(None).weights, experiment = ?rules.experiment(), "rules have changed");
            *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        }
    }

    /// Reads the rules again when a request wants them, and every `interval`, until `stop`. While PostgreSQL is away, the
    /// last ones stay.
    pub async fn refresh_periodically(self, interval: Duration, stop: CancellationToken) {
        let refreshing = async {
            loop {
                self.freshness.due(interval).await;
                self.refresh().await;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = refreshing => {}
        }
        self.freshness.unreadable();
    }

    async fn refresh(&self) {
        let began = Instant::now();
        match repository::experiments::current_with_rules(&self.database).await {
            Ok((experiment, rules)) => {
                self.apply(&rules, experiment);
                self.freshness.read(began);
            }
            Err(_) => self.freshness.unreadable(),
        }
    }
}

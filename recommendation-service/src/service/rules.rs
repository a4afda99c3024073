//! The rules: read from PostgreSQL for those who ask, and a copy of their weights for scoring, kept fresh.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{ServiceError, pipeline::weights::Weights, rule_freshness::RuleFreshness};
use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        feedback::FeedbackSettings,
        rule::{Rule, RuleId},
        rule_edit::{HistoryPage, RuleChange},
    },
    repository::{self, rules::RuleFilter},
};

/// The rules and the weights that follow from them. Clones share them.
#[derive(Debug, Clone)]
pub struct RuleStore {
    database: Database,
    feedback: FeedbackSettings,
    rules: Arc<RwLock<Arc<RuleSet>>>,
    freshness: Arc<RuleFreshness>,
}

/// What lists are scored by.
#[derive(Debug, PartialEq)]
pub struct RuleSet {
    /// What each type of rule counts.
    pub weights: Weights,
    /// What each kind of feedback says.
    pub feedback: FeedbackSettings,
    /// Changes with the others.
    pub version: String,
}

impl RuleSet {
    fn new(rules: &[Rule], feedback: FeedbackSettings) -> Self {
        let weights = Weights::from_rules(rules).with_learned_defaults(rules);
        let text = format!("{weights:?} {feedback:?}");
        let version = Sha256::digest(text)[..8].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Self { weights, feedback, version }
    }
}

impl RuleStore {
    /// Reads the rules for the first time.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not work.
    pub async fn load(database: Database, feedback: FeedbackSettings) -> Result<Self, DatabaseError> {
        let freshness = Arc::new(RuleFreshness::new(Instant::now()));
        let rules = RuleSet::new(&repository::rules::list_all(&database).await?, feedback);
        Ok(Self { database, feedback, rules: Arc::new(RwLock::new(Arc::new(rules))), freshness })
    }

    /// Rules, as they are in PostgreSQL now.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn list(&self, filter: RuleFilter<'_>) -> Result<Vec<Rule>, ServiceError> {
        Ok(repository::rules::list(&self.database, filter).await?)
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

    /// The weights as they were a moment ago; never waits.
    pub fn weights(&self) -> Weights {
        self.current().weights
    }

    /// What lists are scored by, as it was a moment ago; never waits.
    pub fn current(&self) -> Arc<RuleSet> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn apply(&self, rules: &[Rule]) {
        let rules = RuleSet::new(rules, self.feedback);
        if rules != *self.current() {
            tracing::info!(weights = ?rules.weights, version = rules.version, "rules have changed");
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
        match repository::rules::list_all(&self.database).await {
            Ok(rules) => {
                self.apply(&rules);
                self.freshness.read(began);
            }
            Err(_) => self.freshness.unreadable(),
        }
    }
}

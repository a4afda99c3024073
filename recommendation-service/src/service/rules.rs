//! The rules: read from PostgreSQL for those who ask, and a copy of their weights for scoring, kept fresh.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{ServiceError, pipeline::weights::Weights};
use crate::{
    database::postgres::{Database, DatabaseError},
    models::rule::Rule,
    repository,
};

/// The rules and the weights that follow from them. Clones share them.
#[derive(Debug, Clone)]
pub struct RuleStore {
    database: Database,
    weights: Arc<RwLock<Weights>>,
}

impl RuleStore {
    /// Reads the rules for the first time.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not work.
    pub async fn load(database: Database) -> Result<Self, DatabaseError> {
        let weights = weights(&repository::rules::list_all(&database).await?);
        Ok(Self { database, weights: Arc::new(RwLock::new(weights)) })
    }

    /// The active rules, as they are in PostgreSQL now.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn list(&self) -> Result<Vec<Rule>, ServiceError> {
        Ok(repository::rules::list_active(&self.database).await?)
    }

    /// The weights as they were a moment ago; never waits.
    pub fn weights(&self) -> Weights {
        *self.weights.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, rules: &[Rule]) {
        let weights = weights(rules);
        if weights != self.weights() {
            tracing::info!(?weights, "rules have changed");
            *self.weights.write().unwrap_or_else(PoisonError::into_inner) = weights;
        }
    }

    /// Looks for changed rules every `interval` until `stop`. While PostgreSQL is away, the last ones stay.
    pub async fn refresh_periodically(self, interval: Duration, stop: CancellationToken) {
        let refreshing = async {
            loop {
                sleep(interval).await;
                if let Ok(rules) = repository::rules::list_all(&self.database).await {
                    self.apply(&rules);
                }
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = refreshing => {}
        }
    }
}

/// What each type of rule counts: what the table says, and the defaults of the learned ones.
fn weights(rules: &[Rule]) -> Weights {
    Weights::from_rules(rules).with_learned_defaults(rules)
}

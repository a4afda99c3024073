//! The rules: read from PostgreSQL for those who ask, and a copy of their weights for scoring, kept fresh.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{ServiceError, scoring::Weights};
use crate::{models::rule::Rule, repository};

/// The rules and the weights that follow from them. Clones share them.
#[derive(Debug, Clone)]
pub struct RuleStore {
    pool: PgPool,
    weights: Arc<RwLock<Weights>>,
}

impl RuleStore {
    /// Reads the rules for the first time.
    ///
    /// # Errors
    /// When PostgreSQL cannot answer.
    pub async fn load(pool: PgPool) -> sqlx::Result<Self> {
        let weights = Weights::from_rules(&repository::rules::list_active(&pool).await?);
        Ok(Self { pool, weights: Arc::new(RwLock::new(weights)) })
    }

    /// The active rules, as they are in PostgreSQL now.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn list(&self) -> Result<Vec<Rule>, ServiceError> {
        Ok(repository::rules::list_active(&self.pool).await?)
    }

    /// The weights as they were a moment ago; never waits.
    pub fn weights(&self) -> Weights {
        *self.weights.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, rules: &[Rule]) {
        let weights = Weights::from_rules(rules);
        if weights != self.weights() {
            tracing::info!(?weights, "rules have changed");
            *self.weights.write().unwrap_or_else(PoisonError::into_inner) = weights;
        }
    }

    /// Looks for changed rules every `interval` until `stop`. While PostgreSQL is away, the last ones stay.
    pub async fn refresh_periodically(self, interval: Duration, stop: CancellationToken) {
        let refreshing = async {
            let mut failing = false;
            loop {
                sleep(interval).await;
                let rules = repository::rules::list_active(&self.pool).await;
                match &rules {
                    Ok(rules) => self.apply(rules),
                    Err(error) if !failing => tracing::warn!(%error, "rules cannot be read; keeping the last ones"),
                    Err(_) => {}
                }
                failing = rules.is_err();
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = refreshing => {}
        }
    }
}

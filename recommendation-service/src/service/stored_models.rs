//! Loads the collaborative model from PostgreSQL, at the start and whenever there is a newer one.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{sync::Mutex, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    ServiceError,
    model::{ItemModel, codec},
    models::ModelStore,
};
use crate::{
    database::postgres::{Database, DatabaseError},
    models::training_job::StoredModel,
    repository,
};

/// The stored models, and which of them is in use. Clones share everything.
#[derive(Debug, Clone)]
pub struct StoredModels(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    models: ModelStore,
    state: RwLock<State>,
    /// Held while a model is loaded: nobody loads it twice.
    loading: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<i64>,
    refused: BTreeMap<i64, String>,
}

/// A stored model and what this replica does with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelStatus {
    /// The model.
    pub model: StoredModel,
    /// Whether lists are made with it.
    pub in_use: bool,
    /// Why it is not used, when it is damaged.
    pub refused: Option<String>,
}

impl StoredModels {
    /// Nothing is loaded before the first [`Self::refresh`].
    pub fn new(database: Database, models: ModelStore) -> Self {
        Self(Arc::new(Inner { database, models, state: RwLock::default(), loading: Mutex::default() }))
    }

    /// The stored models, newest first.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn list(&self) -> Result<Vec<ModelStatus>, ServiceError> {
        let models = repository::models::list(&self.0.database).await?;
        let status = |model: StoredModel| ModelStatus {
            in_use: self.current() == Some(model.id),
            refused: self.refusal(model.id),
            model,
        };
        Ok(models.into_iter().map(status).collect())
    }

    /// The model with which lists are made.
    pub fn in_use(&self) -> Option<Arc<ItemModel>> {
        self.0.models.current()
    }

    /// Looks for a newer model every `interval` until `stop`. While PostgreSQL is away, the last one stays.
    pub async fn refresh_periodically(self, interval: Duration, stop: CancellationToken) {
        let refreshing = async {
            loop {
                // What failed was logged where it failed.
                let _ = self.refresh().await;
                sleep(interval).await;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = refreshing => {}
        }
    }

    /// Loads the newest model that is whole, unless it is in use already.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not work.
    pub async fn refresh(&self) -> Result<(), DatabaseError> {
        let _loading = self.0.loading.lock().await;
        let ids: Vec<i64> =
            repository::models::list(&self.0.database).await?.into_iter().map(|model| model.id).collect();
        self.write(|state| state.refused.retain(|id, _| ids.contains(id)));
        for id in ids {
            if self.current().is_some_and(|current| id <= current) {
                break;
            }
            if self.refusal(id).is_none() && self.load(id).await? {
                break;
            }
        }
        Ok(())
    }

    /// Says whether the model is whole and now in use.
    async fn load(&self, id: i64) -> Result<bool, DatabaseError> {
        let content = repository::models::content(&self.0.database, id).await?;
        // Up to hundreds of megabytes are hashed: not on a thread that serves connections.
        let decoded = spawn_blocking(move || codec::decode(&content)).await;
        let reason = match decoded {
            Ok(Ok(model)) => {
                let (version, movies) = (model.info().version.clone(), model.movie_ids().len());
                self.0.models.replace(Arc::new(model));
                self.write(|state| state.current = Some(id));
                tracing::info!(id, version, movies, "new collaborative model");
                return Ok(true);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => String::from("reading it has panicked"),
        };
        tracing::error!(id, reason, "a stored model is damaged and not used");
        self.write(|state| {
            state.refused.insert(id, reason);
        });
        Ok(false)
    }

    fn current(&self) -> Option<i64> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner).current
    }

    fn refusal(&self, id: i64) -> Option<String> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner).refused.get(&id).cloned()
    }

    fn write(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

//! Setting and showing preferences, through the cache.

use super::{
    ServiceError,
    batcher::Batcher,
    preference_loader::{LoadPreferences, PreferenceLoader},
};
use crate::{
    database::{postgres::Database, redis::RedisLink},
    lifecycle::Lifecycle,
    metrics::metrics,
    models::{
        id::PathId,
        preferences::{self as models, NewPreferences},
    },
    repository::{
        cache::PreferenceCache,
        preferences::{self, Found, USER_KEY},
    },
};

/// The use cases. Clones share the loader and the cache.
#[derive(Clone)]
pub struct Preferences {
    database: Database,
    cache: PreferenceCache,
    loader: PreferenceLoader,
    lifecycle: Lifecycle,
}

impl Preferences {
    /// Preferences in `database`, cached in `redis`.
    pub fn new(database: Database, redis: RedisLink, lifecycle: Lifecycle) -> Self {
        let loader = Batcher::new(LoadPreferences { database: database.clone() }, lifecycle.clone());
        Self { database, cache: PreferenceCache::new(redis), loader, lifecycle }
    }

    /// Replaces all preferences of a user, also when the client goes away meanwhile.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn replace(&self, id: PathId, new: NewPreferences) -> Result<models::Preferences, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        let this = self.clone();
        let replace = async move {
            let stored = preferences::upsert(&this.database, user, &new).await;
            if stored.is_ok() {
                this.cache.delete(user).await;
            }
            stored
        };
        let stored = self.lifecycle.run_to_completion(replace).await;
        stored.map_err(|error| ServiceError::from_write(error, &[(USER_KEY, ServiceError::UserNotFound)]))
    }

    /// The preferences of a user, or the defaults of one who set none. Every change that any replica acknowledged before
    /// this call is in them: a cached entry is used only while its revision is that of the database.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn get(&self, id: PathId) -> Result<models::Preferences, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        let cached = self.cache.get(user).await;
        let lookup = (user, cached.as_ref().map(|cached| cached.revision));
        let found = self.loader.submit(lookup, self.database.query_timeout()).await?;
        metrics().record_cache_lookup("preferences", matches!((&found, &cached), (Found::Unchanged, Some(_))));
        match (found, cached) {
            (Found::Unchanged, Some(cached)) => Ok(cached),
            (Found::Changed(preferences), _) => {
                self.cache.set(user, &preferences).await;
                Ok(preferences)
            }
            (Found::NoUser | Found::Unchanged, _) => Err(ServiceError::UserNotFound),
        }
    }
}

//! Setting and showing preferences, through the cache.

use bytes::Bytes;
use tokio::time::sleep;

use super::{
    ServiceError,
    flights::{Flight, Flights, Turn},
};
use crate::{
    database::redis::RedisLink,
    lifecycle::Lifecycle,
    models::{
        id::{PathId, UserId},
        preferences::{NewPreferences, Preferences as Record},
    },
    repository::{
        cache::PreferenceCache,
        preferences::{self, USER_KEY},
        store::Store,
    },
};

/// A JSON body that is ready to be sent, or why there is none.
pub type Answer = Result<Bytes, ServiceError>;

/// The use cases. Clones share the flights and the cache.
#[derive(Clone)]
pub struct Preferences {
    store: Store,
    cache: PreferenceCache,
    flights: Flights<Answer>,
    lifecycle: Lifecycle,
}

impl Preferences {
    /// Preferences in `store`, cached in `redis`.
    pub fn new(store: Store, redis: RedisLink, lifecycle: Lifecycle) -> Self {
        let cache = PreferenceCache::new(redis, lifecycle.clone());
        Self { store, cache, flights: Flights::new(), lifecycle }
    }

    /// Replaces all preferences of a user, also when the client goes away meanwhile.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn replace(&self, id: PathId, new: NewPreferences) -> Answer {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        let this = self.clone();
        self.lifecycle.run_to_completion(async move { this.store_and_invalidate(user, new).await }).await
    }

    /// The preferences of a user, or the defaults of one who set none: never those from before a change that was
    /// acknowledged before this call.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn get(&self, id: PathId) -> Answer {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        let arrival = self.flights.arrive();
        loop {
            if let Some(cached) = self.cache.get(user).await {
                return Ok(cached);
            }
            let landing = match self.flights.enter(user.get(), arrival) {
                Turn::Fly(flight, landing) => {
                    // In a task of its own: others wait for it, whatever becomes of this request.
                    self.lifecycle.spawn(self.clone().read(user, flight));
                    landing
                }
                Turn::Join(landing) => landing,
                Turn::Wait(landing) => {
                    landing.wait().await;
                    continue;
                }
            };
            return landing.wait().await.unwrap_or(Err(ServiceError::Unexpected(None)));
        }
    }

    async fn store_and_invalidate(&self, user: UserId, new: NewPreferences) -> Answer {
        let stored = preferences::upsert(&self.store, user, &new).await;
        let stored = stored.map_err(|error| ServiceError::of_write(error, &[(USER_KEY, ServiceError::UserNotFound)]));
        // A change that was not confirmed may have been made all the same.
        if matches!(stored, Ok(_) | Err(ServiceError::Unconfirmed(_))) {
            self.cache.invalidate(user).await;
        }
        if let Err(ServiceError::Unconfirmed(_)) = stored {
            self.lifecycle.spawn(self.clone().invalidate_later(user));
        }
        stored.map(|record| body(&record))
    }

    /// A change that was not confirmed may also be made from now on, and a reader may have stored what was there
    /// before: once it is settled, whatever is cached goes. A stop does not wait for that.
    async fn invalidate_later(self, user: UserId) {
        let stop = self.lifecycle.stop_token();
        tokio::select! {
            () = sleep(self.store.may_go_on_for()) => {}
            () = stop.cancelled() => {}
        }
        self.cache.invalidate(user).await;
    }

    async fn read(self, user: UserId, flight: Flight<Answer>) {
        let lease = self.cache.lease(user).await;
        let answer = match preferences::find(&self.store, user).await {
            Ok(found) => found.as_ref().map(body).ok_or(ServiceError::UserNotFound),
            Err(error) => Err(ServiceError::of_read(error)),
        };
        if let (Some(lease), Ok(body)) = (lease, &answer) {
            self.cache.store(lease, body).await;
        }
        flight.land(answer);
    }
}

fn body(record: &Record) -> Bytes {
    serde_json::to_vec(record).expect("numbers, texts and times always serialise").into()
}

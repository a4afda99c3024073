//! Cached preferences in Redis: JSON under `user:pref:{user id}`, for ten minutes.
//!
//! An entry carries the revision of what it was made from. Who reads one must check that revision against the
//! database: Redis may have missed any number of changes.

use std::time::Duration;

use crate::{
    database::redis::RedisLink,
    models::{id::UserId, preferences::Preferences},
};

/// Longest life of an entry.
const ENTRY_TTL: Duration = Duration::from_secs(600);

/// The cache. A Redis that does not work is one that holds nothing.
#[derive(Clone)]
pub struct PreferenceCache {
    redis: RedisLink,
}

impl PreferenceCache {
    /// A cache in `redis`.
    pub fn new(redis: RedisLink) -> Self {
        Self { redis }
    }

    /// The entry of a user, of whatever revision. What is not the preferences of this user is ignored.
    pub async fn get(&self, user: UserId) -> Option<Preferences> {
        let mut command = redis::cmd("GET");
        command.arg(key(user));
        let entry = self.redis.run(async move |redis| command.query_async::<Option<Vec<u8>>>(redis).await).await;
        let entry: Preferences = serde_json::from_slice(&entry.ok()??).ok()?;
        (entry.user_id == user.get()).then_some(entry)
    }

    /// Stores an entry in place of any other.
    pub async fn set(&self, user: UserId, preferences: &Preferences) {
        let entry = serde_json::to_vec(preferences).expect("numbers, texts and times always serialise");
        let mut command = redis::cmd("SET");
        command.arg(key(user)).arg(entry).arg("EX").arg(ENTRY_TTL.as_secs());
        if let Err(error) = self.redis.run(async move |redis| command.query_async::<()>(redis).await).await {
            tracing::debug!(%error, "preferences not cached");
        }
    }

    /// Deletes the entry of a user. One that stays is found to be stale by its revision.
    pub async fn delete(&self, user: UserId) {
        let mut command = redis::cmd("DEL");
        command.arg(key(user));
        if let Err(error) = self.redis.run(async move |redis| command.query_async::<()>(redis).await).await {
            tracing::debug!(%error, "cached preferences not deleted");
        }
    }
}

fn key(user: UserId) -> String {
    format!("user:pref:{}", user.get())
}

//! Reading movies: from the cache, else from PostgreSQL, once for all who ask at the same time.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use sqlx::PgPool;

use crate::{
    lifecycle::Lifecycle,
    models::{movie::MovieId, query::ListQuery},
    repository::{
        cache::{Cache, CacheKey, Lookup, Token},
        log_failure, movies,
    },
};

use super::flight::Flights;

/// The database does not answer; the cause is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database is not available")]
pub struct Unavailable;

/// The JSON of an answer, or `None` when there is no such movie.
type Answer = Result<Option<Bytes>, Unavailable>;

/// A read begun under another token, or before a change that this process made, is another one.
type FlightKey = (CacheKey, Option<Token>, u64);

/// Lists and details. Clones share the same state.
#[derive(Clone)]
pub struct Movies {
    pool: PgPool,
    cache: Cache,
    flights: Arc<Flights<FlightKey, Answer>>,
}

impl Movies {
    /// Reads from `pool` through `cache`.
    pub fn new(pool: PgPool, cache: Cache, lifecycle: Lifecycle) -> Self {
        Self { pool, cache, flights: Arc::new(Flights::new(lifecycle)) }
    }

    /// A page of the list, as JSON.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, query: ListQuery) -> Result<Bytes, Unavailable> {
        let pool = self.pool.clone();
        let load = || async move { answer(movies::list(&pool, &query).await.map(Some), "list movies") };
        self.cached(CacheKey::list(&query), load).await?.ok_or(Unavailable)
    }

    /// One movie, as JSON.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn detail(&self, id: MovieId) -> Result<Option<Bytes>, Unavailable> {
        let pool = self.pool.clone();
        let load = || async move { answer(movies::find(&pool, id).await, "read a movie") };
        self.cached(CacheKey::detail(id), load).await
    }

    async fn cached<L>(&self, key: CacheKey, load: impl FnOnce() -> L) -> Answer
    where
        L: Future<Output = Answer> + Send + 'static,
    {
        // Before the cache is asked: a change after this must not be missed.
        let changes = self.cache.changes();
        let token = match self.cache.get(&key).await {
            Lookup::Hit(body) => return Ok(Some(body)),
            Lookup::Miss(token) => Some(token),
            Lookup::Off => None,
        };
        let flight = (key.clone(), token, changes);
        let cache = self.cache.clone();
        let keep = async move |answer: Answer| {
            if let (Ok(Some(body)), Some(token)) = (answer, token) {
                cache.put(&key, &token, &body).await;
            }
        };
        self.flights.join(flight, load, keep).await.unwrap_or(Err(Unavailable))
    }
}

fn answer<T: Serialize>(found: sqlx::Result<Option<T>>, what: &'static str) -> Answer {
    let found = found.map_err(|error| {
        log_failure(&error, what);
        Unavailable
    })?;
    Ok(found.map(|found| serde_json::to_vec(&found).expect("texts and finite numbers always serialise").into()))
}

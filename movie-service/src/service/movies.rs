//! Reading movies: from the cache, else from PostgreSQL, once for all who ask at the same time.

use std::{future::Future, sync::Arc};

use serde::Serialize;
use sqlx::PgPool;

use crate::{
    lifecycle::Lifecycle,
    models::{
        etag::Tagged,
        genre::UnknownGenre,
        movie::{MovieId, TmdbId},
        query::ListQuery,
        similar::Limit,
    },
    repository::{
        cache::{Cache, CacheKey, Lookup, Token},
        genres, log_failure, movies,
    },
};

use super::{flight::Flights, lists::Lists, similar};

/// The database does not answer; the cause is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database is not available")]
pub struct Unavailable;

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The database does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A filter names a genre that there is not.
    #[error("there is no such genre")]
    UnknownGenre(UnknownGenre),
    /// A cursor was not made for this query, or not here.
    #[error("this is no cursor of the query")]
    InvalidCursor,
}

/// The JSON of an answer, or `None` when there is no such movie.
type Answer = Result<Option<Tagged>, ListError>;

/// A read begun under another token, or before a change that this process made, is another one.
type FlightKey = (CacheKey, Option<Token>, u64);

/// Lists and details. Clones share the same state.
#[derive(Clone)]
pub struct Movies {
    pool: PgPool,
    cache: Cache,
    flights: Arc<Flights<FlightKey, Answer>>,
    lists: Lists,
}

impl Movies {
    /// Reads from `pool` through `cache`.
    pub fn new(pool: PgPool, cache: Cache, lifecycle: Lifecycle) -> Self {
        let lists = Lists::new(pool.clone(), lifecycle.clone());
        Self { pool, cache, flights: Arc::new(Flights::new(lifecycle)), lists }
    }

    /// A page of the list, as JSON.
    ///
    /// # Errors
    /// When a filter names an unknown genre, the cursor is not of this query, or the database does not answer.
    pub async fn list(&self, query: ListQuery) -> Result<Tagged, ListError> {
        let (key, lists) = (CacheKey::list(&query), self.lists.clone());
        let load = || async move { Ok(Some(json(&lists.page(query).await?))) };
        Ok(self.cached(key, load).await?.ok_or(Unavailable)?)
    }

    /// Any movie that matches, as JSON; never from the cache.
    ///
    /// # Errors
    /// When a filter names an unknown genre, or the database does not answer.
    pub async fn random(&self, query: ListQuery) -> Result<Option<Tagged>, ListError> {
        Ok(self.lists.random(query).await?.as_ref().map(json))
    }

    /// All genres, as JSON.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn genres(&self) -> Result<Tagged, Unavailable> {
        let pool = self.pool.clone();
        let load = || async move {
            let genres = genres::list(&pool).await.map_err(|error| unavailable(&error, "list genres"))?;
            Ok(Some(json(&genres)))
        };
        self.cached(CacheKey::genres(), load).await.ok().flatten().ok_or(Unavailable)
    }

    /// One movie, as JSON.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn detail(&self, id: MovieId) -> Result<Option<Tagged>, Unavailable> {
        let pool = self.pool.clone();
        let load = || async move {
            let movie = movies::find(&pool, id).await.map_err(|error| unavailable(&error, "read a movie"))?;
            Ok(movie.as_ref().map(json))
        };
        self.cached(CacheKey::detail(id), load).await.map_err(|_| Unavailable)
    }

    /// The movie with an id at TMDB, as JSON: the same as its [`Self::detail`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn by_tmdb_id(&self, id: TmdbId) -> Result<Option<Tagged>, Unavailable> {
        let pool = self.pool.clone();
        let load = || async move {
            let movie =
                movies::find_by_tmdb_id(&pool, id).await.map_err(|error| unavailable(&error, "read a movie"))?;
            Ok(movie.as_ref().map(json))
        };
        self.cached(CacheKey::tmdb(id), load).await.map_err(|_| Unavailable)
    }

    /// Movies like this one, as JSON; `None` when there is no such movie.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn similar(&self, id: MovieId, limit: Limit) -> Result<Option<Tagged>, Unavailable> {
        let pool = self.pool.clone();
        let load = || async move {
            let similar = similar::find(&pool, id, limit).await;
            Ok(similar.map_err(|error| unavailable(&error, "find similar movies"))?.as_ref().map(json))
        };
        self.cached(CacheKey::similar(id, limit), load).await.map_err(|_| Unavailable)
    }

    async fn cached<L>(&self, key: CacheKey, load: impl FnOnce() -> L) -> Answer
    where
        L: Future<Output = Answer> + Send + 'static,
    {
        // Before the cache is asked: a change after this must not be missed.
        let changes = self.cache.changes();
        let token = match self.cache.get(&key).await {
            Lookup::Hit(answer) => return Ok(Some(answer)),
            Lookup::Miss(token) => Some(token),
            Lookup::Off => None,
        };
        let flight = (key.clone(), token, changes);
        let cache = self.cache.clone();
        let keep = async move |answer: Answer| {
            if let (Ok(Some(answer)), Some(token)) = (answer, token) {
                cache.put(&key, &token, &answer).await;
            }
        };
        self.flights.join(flight, load, keep).await.unwrap_or(Err(Unavailable.into()))
    }
}

fn unavailable(error: &sqlx::Error, what: &'static str) -> Unavailable {
    log_failure(error, what);
    Unavailable
}

/// The answer that is sent, with its tag.
pub(super) fn json<T: Serialize>(found: &T) -> Tagged {
    Tagged::of(serde_json::to_vec(found).expect("texts and finite numbers always serialise").into())
}

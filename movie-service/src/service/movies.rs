//! Reading movies: from the cache, else from PostgreSQL, once for all who ask at the same time.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use sqlx::PgPool;

use crate::{
    lifecycle::Lifecycle,
    models::{
        etag::Tagged,
        genre::{Genre, GenreFilter, UnknownGenre},
        movie::{MovieId, MoviePage, TmdbId},
        query::ListQuery,
        similar::Limit,
    },
    repository::{
        cache::{Cache, CacheKey, Lookup, Token},
        genres,
        list::{self, GenreIds, GenreSet},
        log_failure, movies,
    },
};

use super::{flight::Flights, similar};

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
}

impl Movies {
    /// Reads from `pool` through `cache`.
    pub fn new(pool: PgPool, cache: Cache, lifecycle: Lifecycle) -> Self {
        Self { pool, cache, flights: Arc::new(Flights::new(lifecycle)) }
    }

    /// A page of the list, as JSON.
    ///
    /// # Errors
    /// When a filter names an unknown genre, or the database does not answer.
    pub async fn list(&self, query: ListQuery) -> Result<Tagged, ListError> {
        let (key, pool) = (CacheKey::list(&query), self.pool.clone());
        let load = || async move { Ok(Some(tagged(&page(&pool, &query).await?))) };
        Ok(self.cached(key, load).await?.ok_or(Unavailable)?)
    }

    /// All genres, as JSON.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn genres(&self) -> Result<Tagged, Unavailable> {
        let pool = self.pool.clone();
        let load = || async move {
            let genres = genres::list(&pool).await.map_err(|error| unavailable(&error, "list genres"))?;
            Ok(Some(tagged(&genres)))
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
            Ok(movie.as_ref().map(tagged))
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
            Ok(movie.as_ref().map(tagged))
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
            Ok(similar.map_err(|error| unavailable(&error, "find similar movies"))?.as_ref().map(tagged))
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

async fn page(pool: &PgPool, query: &ListQuery) -> Result<MoviePage, ListError> {
    let genres = genre_ids(pool, query).await?;
    Ok(list::list(pool, query, &genres).await.map_err(|error| unavailable(&error, "list movies"))?)
}

/// The ids of the genres that the filters name. Most lists need none.
async fn genre_ids(pool: &PgPool, query: &ListQuery) -> Result<GenreIds, ListError> {
    let (with, without) = (&query.filters.with_genres, &query.filters.without_genres);
    if with.is_none() && without.is_none() {
        return Ok(GenreIds::default());
    }
    let known = genres::all(pool).await.map_err(|error| unavailable(&error, "read genres"))?;
    Ok(GenreIds {
        with: genre_set("with_genres", with.as_ref(), &known)?,
        without: genre_set("without_genres", without.as_ref(), &known)?,
    })
}

fn genre_set(
    parameter: &'static str,
    filter: Option<&GenreFilter>,
    known: &[Genre],
) -> Result<Option<GenreSet>, ListError> {
    let set = |filter: &GenreFilter| Ok(GenreSet { all: filter.all, ids: filter.resolve(parameter, known)? });
    filter.map(set).transpose().map_err(ListError::UnknownGenre)
}

fn unavailable(error: &sqlx::Error, what: &'static str) -> Unavailable {
    log_failure(error, what);
    Unavailable
}

/// The answer that is sent, with its tag.
fn tagged<T: Serialize>(found: &T) -> Tagged {
    Tagged::of(json(found))
}

fn json<T: Serialize>(found: &T) -> Bytes {
    serde_json::to_vec(found).expect("texts and finite numbers always serialise").into()
}

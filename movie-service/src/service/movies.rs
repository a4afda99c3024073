//! Reading movies: from the cache, else from PostgreSQL, once for all who ask at the same time.

use std::{future::Future, sync::Arc};

use futures_util::FutureExt;
use serde::Serialize;

use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::{
        genre::GenreSummary,
        movie::{Movie, MovieId, MoviePage, TmdbId},
        query::ListQuery,
        similar::SimilarMovies,
    },
    repository::{
        cache::{Cache, CacheKey, Lookup, Token},
        genres, movies,
    },
};

pub use crate::repository::cache::HashedBody;

use super::{
    error::{ListError, Unavailable},
    lists::Lists,
    similar,
};

/// The JSON of a response, or `None` when there is no such movie.
type ReadResult = Result<Option<HashedBody>, ListError>;

/// A read begun under another token, or before a change that this process made, is another one.
type ReadKey = (CacheKey, Option<Token>, u64);

/// Lists and details. Clones share the same state.
#[derive(Clone)]
pub struct Movies {
    database: Database,
    cache: Cache,
    lifecycle: Lifecycle,
    /// Keeps nothing: those who ask for the same at the same time share one read.
    reads: moka::future::Cache<ReadKey, Option<HashedBody>>,
    lists: Lists,
}

impl Movies {
    /// Reads from `database` through `cache`.
    pub fn new(database: Database, cache: Cache, lifecycle: Lifecycle) -> Self {
        let lists = Lists::new(database.clone());
        Self { database, cache, lifecycle, reads: moka::future::Cache::new(0), lists }
    }

    /// A page of the list, as JSON.
    ///
    /// # Errors
    /// When a filter names an unknown genre, the cursor is not of this query, or the database does not answer.
    pub async fn list<V: View<MoviePage>>(&self, query: ListQuery) -> Result<HashedBody, ListError> {
        let load = async { Ok(Some(json::<_, V>(self.lists.page(query.clone()).await?))) };
        Ok(self.cached(CacheKey::list(&query), load).await?.ok_or(Unavailable)?)
    }

    /// Any movie that matches, as JSON; never from the cache.
    ///
    /// # Errors
    /// When a filter names an unknown genre, or the database does not answer.
    pub async fn random<V: View<Movie>>(&self, query: ListQuery) -> Result<Option<HashedBody>, ListError> {
        Ok(self.lists.random(query).await?.map(json::<_, V>))
    }

    /// All genres, as JSON.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn genres<V: View<Vec<GenreSummary>>>(&self) -> Result<HashedBody, Unavailable> {
        let load = async { Ok(Some(json::<_, V>(genres::list(&self.database).await?))) };
        self.cached(CacheKey::genres(), load).await.ok().flatten().ok_or(Unavailable)
    }

    /// One movie, as JSON.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn detail<V: View<Movie>>(&self, id: MovieId) -> Result<Option<HashedBody>, Unavailable> {
        let load = async { Ok(movies::find(&self.database, id).await?.map(json::<_, V>)) };
        self.cached(CacheKey::detail(id), load).await.map_err(|_| Unavailable)
    }

    /// The movie with an id at TMDB, as JSON: the same as its [`Self::detail`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn by_tmdb_id<V: View<Movie>>(&self, id: TmdbId) -> Result<Option<HashedBody>, Unavailable> {
        let load = async { Ok(movies::find_by_tmdb_id(&self.database, id).await?.map(json::<_, V>)) };
        self.cached(CacheKey::tmdb(id), load).await.map_err(|_| Unavailable)
    }

    /// Movies like this one, as JSON; `None` when there is no such movie.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn similar<V: View<SimilarMovies>>(
        &self,
        id: MovieId,
        limit: i32,
    ) -> Result<Option<HashedBody>, Unavailable> {
        let load = async { Ok(similar::find(&self.database, id, limit).await?.map(json::<_, V>)) };
        self.cached(CacheKey::similar(id, limit), load).await.map_err(|_| Unavailable)
    }

    /// What the cache has, or what `load` gives, once for all who ask at the same time.
    async fn cached(&self, key: CacheKey, load: impl Future<Output = ReadResult> + Send) -> ReadResult {
        // Before the cache is asked: a change after this must not be missed.
        let changes = self.cache.changes();
        let token = match self.cache.get(&key).await {
            Lookup::Hit(answer) => return Ok(Some(answer)),
            Lookup::Miss(token) => Some(token),
            Lookup::Bypass => None,
        };
        let read = async {
            let answer = load.await?;
            if let (Some(answer), Some(token)) = (&answer, token) {
                let (cache, key, answer) = (self.cache.clone(), key.clone(), answer.clone());
                // Nobody need wait for that.
                self.lifecycle.spawn(async move { cache.put(&key, &token, &answer).await });
            }
            Ok(answer)
        };
        let shared = self.reads.try_get_with((key.clone(), token, changes), read).boxed().await;
        shared.map_err(|error: Arc<ListError>| ListError::clone(&error))
    }
}

/// How a `T` is shown to clients.
pub trait View<T>: From<T> + Serialize {}

impl<T, V: From<T> + Serialize> View<T> for V {}

/// The JSON of a `T`, as `V` shows it.
pub fn json<T, V: View<T>>(found: T) -> HashedBody {
    HashedBody::of(serde_json::to_vec(&V::from(found)).expect("texts and finite numbers always serialise").into())
}

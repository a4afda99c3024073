//! Pages of the list: their rows, exact totals, counts and cursors.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::OnceCell;

use crate::{
    lifecycle::Lifecycle,
    models::{
        cursor::{CursorKey, Position},
        extras::Facets,
        genre::{Genre, GenreFilter},
        movie::{MovieDetail, MovieId, MoviePage},
        query::ListQuery,
    },
    repository::{
        genres, limits,
        list::{self, GenreIds, GenreSet, ResolvedQuery, Slice, Words},
        log_failure, movies,
    },
};

use super::{
    movies::{ListError, Unavailable},
    remembered::{Counted, Remembered},
};

/// Filters whose totals are remembered, and those whose counts by genre, language and year are.
const TOTALS: usize = 2000;
const FACETS: usize = 200;
/// How often to draw anew when a movie is deleted between its id and its details.
const ATTEMPTS: u32 = 3;
/// How many movies to draw in each round when any one is wanted.
const DRAWS: [usize; 3] = [50, 500, 5000];

/// Reads pages. Clones share the same state.
#[derive(Clone)]
pub(super) struct Lists {
    pool: PgPool,
    totals: Arc<Remembered<i64>>,
    facets: Arc<Remembered<Facets>>,
    cursor_key: Arc<OnceCell<CursorKey>>,
}

/// A page with what was counted in the same state of the catalogue.
struct Found {
    slice: Slice,
    total: i64,
    facets: Option<Facets>,
}

impl Lists {
    pub(super) fn new(pool: PgPool, lifecycle: Lifecycle) -> Self {
        let totals = Arc::new(Remembered::new(TOTALS, lifecycle.clone()));
        let facets = Arc::new(Remembered::new(FACETS, lifecycle));
        Self { pool, totals, facets, cursor_key: Arc::default() }
    }

    /// A page of the list.
    pub(super) async fn page(&self, query: ListQuery) -> Result<MoviePage, ListError> {
        let request = Arc::new(self.request(query).await?);
        if let Some(found) = self.found(&request).await? {
            return self.answer(&request, found).await;
        }
        // The catalogue has changed in between, and may go on doing so.
        let mut request = Arc::unwrap_or_clone(request);
        let found = limits::one_transaction(&self.pool, in_one_snapshot(&self.pool, &mut request)).await;
        self.answer(&request, found.map_err(|error| unavailable(&error, "list movies"))?).await
    }

    /// Any movie that matches, each as likely as the others; `None` when none does.
    pub(super) async fn random(&self, query: ListQuery) -> Result<Option<MovieDetail>, ListError> {
        let request = self.request(query).await?;
        for _ in 0..ATTEMPTS {
            let id = self.any(&request).await.map_err(|error| unavailable(&error, "draw a movie"))?;
            let Some(id) = id.and_then(MovieId::new) else { return Ok(None) };
            // It may have been deleted just now.
            let movie = movies::find(&self.pool, id).await.map_err(|error| unavailable(&error, "read a movie"))?;
            if movie.is_some() {
                return Ok(movie);
            }
        }
        Ok(None)
    }

    async fn request(&self, query: ListQuery) -> Result<ResolvedQuery, ListError> {
        let genres = self.genre_ids(&query).await?;
        let words = match &query.filters.q {
            Some(q) => {
                let words = limits::one_statement(&self.pool, Words::of(&self.pool, q)).await;
                Some(words.map_err(|error| unavailable(&error, "read a search"))?)
            }
            None => None,
        };
        let after = match &query.cursor {
            Some(cursor) => {
                let position = self.cursor_key().await?.open(cursor, &query.cursor_scope());
                Some(position.ok_or(ListError::InvalidCursor)?)
            }
            None => None,
        };
        let mut request = ResolvedQuery { query, genres, words, fuzzy_matches: None, after };
        if request.words.is_some() {
            let search = async { list::fuzzy_matches(&mut *self.pool.acquire().await?, &request).await };
            let matches = limits::one_transaction(&self.pool, search).await;
            request.fuzzy_matches = matches.map_err(|error| unavailable(&error, "search for titles"))?;
        }
        Ok(request)
    }

    /// The ids of the genres that the filters name. Most lists need none.
    async fn genre_ids(&self, query: &ListQuery) -> Result<GenreIds, ListError> {
        let (with, without) = (&query.filters.with_genres, &query.filters.without_genres);
        if with.is_none() && without.is_none() {
            return Ok(GenreIds::default());
        }
        let known = genres::all(&self.pool).await.map_err(|error| unavailable(&error, "read genres"))?;
        Ok(GenreIds {
            with: genre_set("with_genres", with.as_ref(), &known)?,
            without: genre_set("without_genres", without.as_ref(), &known)?,
        })
    }

    /// Read once: it never changes.
    async fn cursor_key(&self) -> Result<&CursorKey, Unavailable> {
        let read = || async {
            let secret = limits::one_statement(&self.pool, list::cursor_secret(&self.pool)).await;
            secret.map(|secret| CursorKey::new(&secret)).map_err(|error| unavailable(&error, "read the cursor secret"))
        };
        self.cursor_key.get_or_try_init(read).await
    }

    /// A page and its counts; `None` when the catalogue has changed between them, or since the search.
    async fn found(&self, request: &Arc<ResolvedQuery>) -> Result<Option<Found>, Unavailable> {
        let slice = limits::one_statement(&self.pool, list::page(&self.pool, request)).await;
        let slice = slice.map_err(|error| unavailable(&error, "list movies"))?;
        if request.fuzzy_matches.as_ref().is_some_and(|matches| matches.revision != Some(slice.revision)) {
            return Ok(None);
        }
        let (revision, total) = self.total(request, &slice).await?;
        if revision != slice.revision {
            return Ok(None);
        }
        if request.query.facets.is_empty() {
            return Ok(Some(Found { slice, total, facets: None }));
        }
        let (revision, facets) = self.facets(request, slice.revision).await?;
        Ok((revision == slice.revision).then_some(Found { slice, total, facets: Some(facets) }))
    }

    async fn total(&self, request: &Arc<ResolvedQuery>, slice: &Slice) -> Counted<i64> {
        if request.query.canonical_filters().is_empty() {
            return Ok((slice.revision, slice.movies));
        }
        let (pool, counted) = (self.pool.clone(), request.clone());
        let count = || async move {
            let count = limits::one_statement(&pool, list::count(&pool, &counted)).await;
            count.map_err(|error| unavailable(&error, "count movies"))
        };
        self.totals.get(&counted_as(request), slice.revision, count).await
    }

    async fn facets(&self, request: &Arc<ResolvedQuery>, revision: i64) -> Counted<Facets> {
        let (pool, counted) = (self.pool.clone(), request.clone());
        let count = || async move {
            let facets = limits::one_statement(&pool, list::facets(&pool, &counted)).await;
            let (revision, facets) = facets.map_err(|error| unavailable(&error, "count movies by facets"))?;
            Ok((revision, facets))
        };
        let key = format!("{:?} {}", request.query.facets, counted_as(request));
        self.facets.get(&key, revision, count).await
    }

    async fn answer(&self, request: &ResolvedQuery, found: Found) -> Result<MoviePage, ListError> {
        let Found { slice, total, facets } = found;
        let ListQuery { page, page_size, .. } = request.query;
        let after = request.after.as_ref();
        let before = after.map_or_else(|| request.query.offset().unwrap_or(i64::MAX), |after| after.before);
        let next_cursor = match slice.rows.last().filter(|_| slice.more) {
            None => None,
            Some(last) => {
                let shown = i64::try_from(slice.rows.len()).unwrap_or(i64::MAX);
                let position = Position { before: before.saturating_add(shown), ..last.position.clone() };
                Some(self.cursor_key().await?.seal(&position, &request.query.cursor_scope()))
            }
        };
        Ok(MoviePage {
            page: after.map_or(page, |after| after.before / page_size + 1),
            page_size,
            total_pages: (total + page_size - 1) / page_size,
            total_results: total,
            data: slice.rows.into_iter().map(|row| row.summary).collect(),
            next_cursor,
            facets,
        })
    }

    /// Draws among all ids, in rounds, until one matches; filters that few movies pass are read whole.
    async fn any(&self, request: &ResolvedQuery) -> sqlx::Result<Option<i32>> {
        let pool = &self.pool;
        if request.words.is_none() && request.query.filters.ids.is_none() {
            let Some(highest) = limits::one_statement(pool, list::highest_id(pool)).await? else { return Ok(None) };
            for draws in DRAWS {
                let drawn: Vec<i32> = (0..draws).map(|_| rand::random_range(1..=highest.max(1))).collect();
                let found = limits::one_statement(pool, list::matching(pool, request, drawn.clone())).await?;
                if let Some(id) = drawn.into_iter().find(|id| found.contains(id)) {
                    return Ok(Some(id));
                }
            }
        }
        limits::one_statement(pool, list::random_match(pool, request)).await
    }
}

/// What a total is of. The ids of the genres too: under the same revision another one may have been called so before. And
/// the revision that the fuzzy matches are of: counted under another one they make a total of no moment.
fn counted_as(request: &ResolvedQuery) -> String {
    let searched = request.fuzzy_matches.as_ref().map(|matches| matches.revision);
    format!("{} {:?} {searched:?}", request.query.canonical_filters(), request.genres)
}

/// Everything from one snapshot, counted anew: for a catalogue that changes all the time.
async fn in_one_snapshot(pool: &PgPool, request: &mut ResolvedQuery) -> sqlx::Result<Found> {
    let mut snapshot = list::in_one_snapshot(pool).await?;
    request.fuzzy_matches = list::fuzzy_matches(&mut snapshot, request).await?;
    let slice = list::page(&mut *snapshot, request).await?;
    let (_, total) = list::count(&mut *snapshot, request).await?;
    let facets = match request.query.facets.is_empty() {
        true => None,
        false => Some(list::facets(&mut *snapshot, request).await?.1),
    };
    snapshot.rollback().await?;
    Ok(Found { slice, total, facets })
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

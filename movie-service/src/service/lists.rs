//! Pages of the list: their rows, exact totals, counts and cursors.

use std::sync::Arc;

use sqlx::PgConnection;
use tokio::sync::OnceCell;

use crate::{
    database::postgres::Database,
    models::{
        cursor::{CursorKey, Position},
        genre::{Genre, GenreFilter},
        includes::Facets,
        movie::{Movie, MoviePage},
        query::ListQuery,
    },
    repository::{
        genres,
        list::{self, GenreIds, GenreSet, ResolvedQuery, Slice, Words},
        movies,
    },
};

use super::{count_cache::CountCache, error::ListError};

/// Filters whose totals are kept.
const TOTALS: u64 = 2000;
/// Filters whose counts by genre, language and year are kept.
const FACETS: u64 = 200;
/// How often to draw anew when a movie is deleted between its id and its details.
const ATTEMPTS: u32 = 3;
/// How many movies to draw in each round when any one is wanted.
const DRAWS: [usize; 3] = [50, 500, 5000];

/// Reads pages. Clones share the same state.
#[derive(Clone)]
pub(super) struct Lists {
    database: Database,
    totals: CountCache<i64>,
    facets: CountCache<Facets>,
    cursor_key: Arc<OnceCell<CursorKey>>,
}

/// A page with what was counted in the same state of the catalogue.
struct Found {
    slice: Slice,
    total: i64,
    facets: Option<Facets>,
}

impl Lists {
    pub(super) fn new(database: Database) -> Self {
        let (totals, facets) = (CountCache::new(TOTALS), CountCache::new(FACETS));
        Self { database, totals, facets, cursor_key: Arc::default() }
    }

    /// A page of the list.
    pub(super) async fn page(&self, query: ListQuery) -> Result<MoviePage, ListError> {
        let page = async |connection: &mut PgConnection| {
            let mut resolved = match self.resolve(connection, query).await? {
                Ok(resolved) => resolved,
                Err(error) => return Ok(Err(error)),
            };
            let found = self.find(connection, &mut resolved).await?;
            Ok(Ok(self.answer(connection, &resolved, found).await?))
        };
        self.database.read("list movies", page).await?
    }

    /// Any movie that matches, each as likely as the others; `None` when none does.
    pub(super) async fn random(&self, query: ListQuery) -> Result<Option<Movie>, ListError> {
        let draw = async |connection: &mut PgConnection| {
            let mut resolved = match self.resolve(connection, query).await? {
                Ok(resolved) => resolved,
                Err(error) => return Ok(Err(error)),
            };
            resolved.fuzzy_matches = list::fuzzy_matches(connection, &resolved).await?;
            for _ in 0..ATTEMPTS {
                let Some(id) = draw(connection, &resolved).await? else { return Ok(Ok(None)) };
                // It may have been deleted just now.
                if let Some(movie) = movies::find_in(connection, id).await? {
                    return Ok(Ok(Some(movie)));
                }
            }
            Ok(Ok(None))
        };
        self.database.read("draw a movie", draw).await?
    }

    /// What the query names, as the database knows it.
    async fn resolve(
        &self,
        connection: &mut PgConnection,
        query: ListQuery,
    ) -> sqlx::Result<Result<ResolvedQuery, ListError>> {
        let (with, without) = (&query.filters.with_genres, &query.filters.without_genres);
        // Most lists need none.
        let known = if with.is_some() || without.is_some() { genres::all_in(connection).await? } else { Vec::new() };
        let with = genre_set("with_genres", with.as_ref(), &known);
        let without = genre_set("without_genres", without.as_ref(), &known);
        let genres = match (with, without) {
            (Ok(with), Ok(without)) => GenreIds { with, without },
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
        };
        let words = match &query.filters.q {
            Some(q) => Some(Words::of(&mut *connection, q).await?),
            None => None,
        };
        let after = match &query.cursor {
            Some(cursor) => match self.cursor_key(connection).await?.open(cursor, &query.cursor_scope()) {
                None => return Ok(Err(ListError::InvalidCursor)),
                position => position,
            },
            None => None,
        };
        Ok(Ok(ResolvedQuery { query, genres, words, fuzzy_matches: None, after }))
    }

    /// Read once: it never changes.
    async fn cursor_key(&self, connection: &mut PgConnection) -> sqlx::Result<&CursorKey> {
        let read = async { Ok(CursorKey::new(&list::cursor_secret(connection).await?)) };
        self.cursor_key.get_or_try_init(|| read).await
    }

    /// A page and its counts, of one revision of the catalogue.
    async fn find(&self, connection: &mut PgConnection, resolved: &mut ResolvedQuery) -> sqlx::Result<Found> {
        if let Some(found) = self.try_find(connection, resolved).await? {
            return Ok(found);
        }
        // The catalogue has changed in between, and may go on doing so: everything from one snapshot.
        let mut snapshot = list::snapshot(connection).await?;
        let found = self.try_find(&mut snapshot, resolved).await?;
        snapshot.rollback().await?;
        found.ok_or_else(|| sqlx::Error::Protocol("a snapshot has more than one revision".to_owned()))
    }

    /// The same; `None` when the catalogue has changed between the statements.
    async fn try_find(
        &self,
        connection: &mut PgConnection,
        resolved: &mut ResolvedQuery,
    ) -> sqlx::Result<Option<Found>> {
        resolved.fuzzy_matches = list::fuzzy_matches(connection, resolved).await?;
        let slice = list::page(&mut *connection, resolved).await?;
        let revision = slice.revision;
        if resolved.fuzzy_matches.as_ref().is_some_and(|matches| matches.revision != Some(revision)) {
            return Ok(None);
        }
        // The ids of the genres too: under the same revision another one may have been called so before.
        let filters = format!("{} {:?}", resolved.query.canonical_filters(), resolved.genres);
        let total = if resolved.query.canonical_filters().is_empty() {
            Some(slice.movies)
        } else {
            match self.totals.get(&filters, revision, list::count(&mut *connection, resolved)).await {
                None => of_revision(revision, list::count(&mut *connection, resolved).await?),
                total => total,
            }
        };
        let Some(total) = total else { return Ok(None) };
        if resolved.query.facets.is_empty() {
            return Ok(Some(Found { slice, total, facets: None }));
        }
        let filters = format!("{:?} {filters}", resolved.query.facets);
        let facets = match self.facets.get(&filters, revision, list::facets(&mut *connection, resolved)).await {
            None => of_revision(revision, list::facets(connection, resolved).await?),
            facets => facets,
        };
        Ok(facets.map(|facets| Found { slice, total, facets: Some(facets) }))
    }

    async fn answer(
        &self,
        connection: &mut PgConnection,
        resolved: &ResolvedQuery,
        found: Found,
    ) -> sqlx::Result<MoviePage> {
        let Found { slice, total, facets } = found;
        let ListQuery { page, page_size, .. } = resolved.query;
        let after = resolved.after.as_ref();
        let before = after.map_or_else(|| resolved.query.offset().unwrap_or(i64::MAX), |after| after.before);
        let next_cursor = match slice.rows.last().filter(|_| slice.more) {
            None => None,
            Some(last) => {
                let shown = i64::try_from(slice.rows.len()).unwrap_or(i64::MAX);
                let position = Position { before: before.saturating_add(shown), ..last.position.clone() };
                Some(self.cursor_key(connection).await?.seal(&position, &resolved.query.cursor_scope()))
            }
        };
        Ok(MoviePage {
            page: after.map_or(page, |after| after.before / page_size + 1),
            page_size,
            total,
            movies: slice.rows.into_iter().map(|row| row.movie).collect(),
            include: resolved.query.include.clone(),
            next_cursor,
            facets,
        })
    }
}

/// What was counted, if it is of this revision.
fn of_revision<T>(revision: i64, (counted, value): (i64, T)) -> Option<T> {
    (counted == revision).then_some(value)
}

/// Draws among all ids, in rounds, until one matches; filters that few movies pass are read whole.
async fn draw(connection: &mut PgConnection, resolved: &ResolvedQuery) -> sqlx::Result<Option<i32>> {
    if resolved.words.is_none() && resolved.query.filters.ids.is_none() {
        let Some(highest) = list::highest_id(&mut *connection).await? else { return Ok(None) };
        for draws in DRAWS {
            let drawn: Vec<i32> = (0..draws).map(|_| rand::random_range(1..=highest.max(1))).collect();
            let found = list::matching(&mut *connection, resolved, drawn.clone()).await?;
            if let Some(id) = drawn.into_iter().find(|id| found.contains(id)) {
                return Ok(Some(id));
            }
        }
    }
    list::random_match(connection, resolved).await
}

fn genre_set(
    parameter: &'static str,
    filter: Option<&GenreFilter>,
    known: &[Genre],
) -> Result<Option<GenreSet>, ListError> {
    let set = |filter: &GenreFilter| Ok(GenreSet { all: filter.all, ids: filter.resolve(parameter, known)? });
    filter.map(set).transpose().map_err(ListError::UnknownGenre)
}

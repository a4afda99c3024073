//! The order of the list along one key, as parts that are read one after the other: movies whose sort key is known, forwards or
//! backwards along one index, then those whose is not. Whoever has enough from the first does not read the second.
//!
//! Each part has a limit of its own. That keeps it from being read by several workers at once, in any order.

use crate::models::{
    cursor::{Key, Position},
    filter::Filters,
    query::{ListQuery, Order, SortBy},
};

use super::{conditions::where_all, search::Exact, sql_args::SqlArgs};

/// Forwards or backwards along a key.
#[derive(Clone, Copy)]
pub(super) struct Direction {
    /// For `ORDER BY`.
    pub(super) order: &'static str,
    /// Between a row and the last row of the page before.
    pub(super) follows: &'static str,
}

impl Direction {
    pub(super) fn of(order: Order) -> Self {
        match order {
            Order::Descending => Self { order: "DESC", follows: "<" },
            Order::Ascending => Self { order: "ASC", follows: ">" },
        }
    }
}

/// The column of `m` that is sorted by. With relevance, which breaks ties by it, the popularity.
pub(super) fn sort_key(sort_by: SortBy) -> &'static str {
    match sort_by {
        SortBy::Popularity | SortBy::Relevance => "m.popularity",
        SortBy::ReleaseDate => "m.release_date",
        SortBy::VoteAverage => "m.rating",
        SortBy::VoteCount => "m.vote_count",
        SortBy::Runtime => "m.runtime",
        SortBy::Title => "m.title",
        SortBy::CreatedAt => "m.created_at",
    }
}

/// How much of an index to scan for movies that pass the filters before the rest is looked for in another way.
const SCAN_LIMIT: i64 = 4000;

/// One column as an order.
pub(super) struct Keyset<'a> {
    pub(super) query: &'a ListQuery,
    /// The table or subquery, whose rows are `m`, and its column.
    pub(super) source: &'a str,
    pub(super) key: &'a str,
    /// What a movie must be.
    pub(super) filters: &'a [String],
    /// What it must be besides, in two forms.
    pub(super) search: Option<&'a Exact>,
    /// The placeholder of the limit of each part.
    pub(super) limit: &'a str,
}

impl Keyset<'_> {
    /// The parts of the list, from the beginning or from the last row of the page before.
    pub(super) fn parts(&self, after: Option<&Position>, arguments: &mut SqlArgs) -> sqlx::Result<Vec<String>> {
        let Direction { order, follows } = Direction::of(self.query.order);
        let (key, collation) = (self.key, self.collation());
        let (mut in_index, mut in_row) = (self.filters.to_vec(), self.filters.to_vec());
        if let Some(search) = self.search {
            in_index.push(search.has_words.in_index.clone());
            in_row.push(search.has_words.in_row.clone());
        }
        let has_unknown = !is_known(self.query);
        let (mut known, mut unknown) = (format!("{key} IS NOT NULL"), format!("{key} IS NULL"));
        if let Some(after) = after {
            let id = arguments.bind(after.id)?;
            if after.key == Key::Unknown {
                unknown = format!("{unknown} AND m.id {follows} {id}");
                return Ok(vec![self.part(self.source, &[&[unknown], in_index.as_slice()].concat(), "")]);
            }
            known = format!("({key}{collation}, m.id) {follows} ({}, {id})", bind_key(arguments, &after.key)?);
        }
        let mut parts = Vec::new();
        if self.search.is_some() || (self.source == "movies" && needs_bounded_scan(self.query)) {
            let along = format!("FROM movies m WHERE {known} ORDER BY {key}{collation} {order}, m.id {order}");
            parts.push(self.part(&format!("(SELECT * {along} LIMIT {SCAN_LIMIT})"), &in_row, ""));
            let edge = format!("SELECT {key}, m.id {along} OFFSET {} LIMIT 1", SCAN_LIMIT - 1);
            let beyond = format!("({key}{collation}, m.id) {follows} ({edge})");
            // No index has this order. There are no nulls.
            let nulls = if order == "DESC" { "NULLS LAST" } else { "NULLS FIRST" };
            parts.push(self.part(self.source, &[&[known, beyond], in_index.as_slice()].concat(), nulls));
        } else {
            parts.push(self.part(self.source, &[&[known], in_index.as_slice()].concat(), ""));
        }
        if has_unknown {
            parts.push(self.part(self.source, &[&[unknown], in_index.as_slice()].concat(), ""));
        }
        Ok(parts)
    }

    /// The unknown ones too are read by the index of both columns; their order is that of the ids.
    fn part(&self, source: &str, conditions: &[String], nulls: &str) -> String {
        let (key, collation, limit) = (self.key, self.collation(), self.limit);
        let order = Direction::of(self.query.order).order;
        format!(
            "SELECT m.id, NULL::int AS tier, NULL::real AS distance FROM {source} m {}
             ORDER BY {key}{collation} {order} {nulls}, m.id {order} LIMIT {limit}",
            where_all(conditions)
        )
    }

    fn collation(&self) -> &'static str {
        if self.query.sort_by == SortBy::Title { " COLLATE title_order" } else { "" }
    }
}

/// Whether all movies that match have the sort key.
fn is_known(query: &ListQuery) -> bool {
    let filters = &query.filters;
    match query.sort_by {
        SortBy::Title | SortBy::CreatedAt => true,
        SortBy::Popularity | SortBy::Relevance => filters.popularity_gte.is_some(),
        SortBy::ReleaseDate => query.released_between().is_some(),
        // Votes are not enough: somebody may have entered their number without their average.
        SortBy::VoteAverage => filters.vote_average_gte.or(filters.vote_average_lte).is_some(),
        SortBy::VoteCount => filters.vote_count_gte.is_some(),
        SortBy::Runtime => filters.runtime_gte.or(filters.runtime_lte).is_some(),
    }
}

/// Whether how much of the sort key's index must be scanned depends on filters that this index knows nothing of.
/// PostgreSQL takes them for independent of the key, which may be off by a factor of a thousand: those rated best are
/// those with one vote. Then the scan is limited, and what it leaves short has few hits, which are found and sorted.
fn needs_bounded_scan(query: &ListQuery) -> bool {
    let filters = &query.filters;
    // These are at hand.
    if filters.ids.is_some() {
        return false;
    }
    let mut others = filters.clone();
    let mut dates = query.released_between();
    match query.sort_by {
        SortBy::Popularity => (others.popularity_gte, others.original_language) = (None, None),
        SortBy::ReleaseDate => (dates, others.year) = (None, None),
        SortBy::VoteCount => others.vote_count_gte = None,
        SortBy::Runtime => (others.runtime_gte, others.runtime_lte) = (None, None),
        SortBy::VoteAverage => {
            (others.vote_average_gte, others.vote_average_lte) = (None, None);
            // There are indexes of those with many votes, which know the dates too.
            if others.vote_count_gte.is_some_and(|least| least >= 10) {
                (others.vote_count_gte, dates, others.year) = (None, None, None);
                (others.with_genres, others.without_genres) = (None, None);
            }
        }
        SortBy::Title | SortBy::CreatedAt | SortBy::Relevance => {}
    }
    dates.is_some() || others != Filters::default()
}

/// The placeholder of a sort key.
pub(super) fn bind_key(arguments: &mut SqlArgs, key: &Key) -> sqlx::Result<String> {
    match key {
        Key::Unknown => Ok("NULL".to_owned()),
        Key::Float(key) => arguments.bind(*key),
        Key::Int(key) => arguments.bind(*key),
        Key::Date(key) => arguments.bind(*key),
        Key::Time(key) => arguments.bind(*key),
        Key::Text(key) => arguments.bind(key.clone()),
    }
}

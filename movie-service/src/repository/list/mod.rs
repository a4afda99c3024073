//! The list of movies. Every statement has only those conditions that are asked for, and says under which revision of
//! the catalogue it was answered, so that a count made under the same one need not be repeated.
//!
//! A search finds movies whose title or original title has all the words as they are written, and, when those are few,
//! also fuzzy matches. All of them are found first, in statements of their own, and listed by their ids.

mod conditions;
mod count;
mod facets;
mod fuzzy;
mod fuzzy_matches;
mod keyset;
mod page;
mod random;
mod relevance;
mod rows;
mod search;
mod sql_args;
#[cfg(test)]
mod sql_tests;
mod state;

pub use self::{
    count::count,
    facets::facets,
    fuzzy_matches::{FuzzyMatches, fuzzy_matches},
    page::page,
    random::{matching, random_match},
    rows::{Slice, SliceRow},
    search::Words,
    state::{cursor_secret, highest_id, snapshot},
};

use crate::models::{cursor::Position, query::ListQuery};

/// Genres of a filter under the platform's own ids.
#[derive(Debug, Clone, Default)]
pub struct GenreIds {
    /// Genres a movie must have.
    pub with: Option<GenreSet>,
    /// Genres a movie must not have.
    pub without: Option<GenreSet>,
}

/// Some genres, at least one.
#[derive(Debug, Clone)]
pub struct GenreSet {
    /// Whether all of them are meant, rather than any.
    pub all: bool,
    /// Their ids, each once.
    pub ids: Vec<i32>,
}

/// A query with all that had to be looked up for it.
#[derive(Debug, Clone)]
pub struct ResolvedQuery {
    /// As it was asked.
    pub query: ListQuery,
    /// Its genres.
    pub genres: GenreIds,
    /// What it searches for, as titles are compared.
    pub words: Option<Words>,
    /// With a search, what it finds unless that is much.
    pub fuzzy_matches: Option<FuzzyMatches>,
    /// The last row of the page before, with a cursor.
    pub after: Option<Position>,
}

//! Filters of the list.

use std::fmt::{Display, Write};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::genre::{GenreFilter, GenreName};

/// What a movie must be. A movie whose value is unknown does not pass a filter by that value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    /// Genres it has.
    pub with_genres: Option<GenreFilter>,
    /// Genres it has not.
    pub without_genres: Option<GenreFilter>,
    /// In lower case.
    pub original_language: Option<String>,
    /// Of release.
    pub year: Option<i32>,
    /// At least.
    pub vote_average_gte: Option<f64>,
    /// At most.
    pub vote_average_lte: Option<f64>,
    /// At least.
    pub vote_count_gte: Option<i32>,
    /// Minutes, at least.
    pub runtime_gte: Option<i32>,
    /// Minutes, at most.
    pub runtime_lte: Option<i32>,
    /// At least.
    pub popularity_gte: Option<f64>,
    /// One of these: sorted, each once.
    pub ids: Option<Vec<i32>>,
    /// Titles to search for: in lower case, with nothing but single spaces.
    pub q: Option<String>,
}

impl Filters {
    /// One text for all spellings of the same filters, of limited length; empty without filters.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        let mut add = |name: &str, value: Option<&dyn Display>| {
            if let Some(value) = value {
                let separator = if text.is_empty() { "" } else { "&" };
                write!(text, "{separator}{name}={value}").expect("a string takes everything");
            }
        };
        fn show<T: Display>(value: &Option<T>) -> Option<&dyn Display> {
            value.as_ref().map(|value| value as &dyn Display)
        }
        add("with_genres", show(&self.with_genres.as_ref().map(canonical_genres)));
        add("without_genres", show(&self.without_genres.as_ref().map(canonical_genres)));
        add("with_original_language", show(&self.original_language));
        add("year", show(&self.year));
        add("vote_average_gte", show(&self.vote_average_gte));
        add("vote_average_lte", show(&self.vote_average_lte));
        add("vote_count_gte", show(&self.vote_count_gte));
        add("runtime_gte", show(&self.runtime_gte));
        add("runtime_lte", show(&self.runtime_lte));
        add("popularity_gte", show(&self.popularity_gte));
        add("ids", show(&self.ids.as_ref().map(|ids| join(ids.iter(), ","))));
        add("q", show(&self.q.as_ref().map(|q| utf8_percent_encode(q, NON_ALPHANUMERIC))));
        text
    }
}

/// A name may hold what separates names: hence escapes.
fn canonical_genres(filter: &GenreFilter) -> String {
    let genre = |genre: &GenreName| match genre {
        GenreName::Id(id) => id.to_string(),
        GenreName::Name(name) => utf8_percent_encode(name, NON_ALPHANUMERIC).to_string(),
    };
    join(filter.genres.iter().map(genre), if filter.all { "," } else { "|" })
}

fn join(parts: impl Iterator<Item = impl Display>, separator: &str) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(separator)
}

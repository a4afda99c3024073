//! Genres, and how filters name them.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

/// A genre under the platform's own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genre {
    /// The platform's own id, not TMDB's.
    pub id: i32,
    /// As it is shown.
    pub name: String,
}

/// A genre and how common it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GenreSummary {
    /// The platform's own id, not TMDB's.
    #[schema(example = 1, minimum = 1)]
    pub id: i32,
    /// Its name.
    #[schema(example = "Action")]
    pub name: String,
    /// Movies that have it.
    #[schema(example = 117, minimum = 0)]
    pub movies: i64,
}

/// A genre as a filter names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GenreName {
    /// The platform's own id.
    Id(i32),
    /// A name, in lower case.
    Name(String),
}

/// Genres that movies must or must not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenreFilter {
    /// Whether all of them are meant, rather than any.
    pub all: bool,
    /// Sorted, each once, at least one.
    pub genres: Vec<GenreName>,
}

/// A filter names a genre that there is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownGenre {
    /// The parameter.
    pub parameter: &'static str,
    /// Names of those that there are, sorted.
    pub known: Vec<String>,
}

/// More would only name some twice.
const MAX_GENRES: usize = 20;
const MAX_NAME_CHARS: usize = 100;

impl GenreFilter {
    /// What is allowed, for people.
    pub const EXPECTED: &str = "up to 20 genres by name or id, separated by ',' (all of them) or '|' (any of them)";

    /// Parses names and ids separated by `,` (all) or `|` (any). `None` for a mixture of both, for an empty part, and for
    /// too many.
    pub fn parse(text: &str) -> Option<Self> {
        let any = text.contains('|');
        if any && text.contains(',') {
            return None;
        }
        let parts = text.split(if any { '|' } else { ',' }).take(MAX_GENRES + 1).map(str::trim);
        let mut genres = parts.map(GenreName::parse).collect::<Option<Vec<_>>>()?;
        if genres.len() > MAX_GENRES {
            return None;
        }
        genres.sort();
        genres.dedup();
        // All of one and any of one are the same.
        Some(Self { all: !any && genres.len() > 1, genres })
    }

    /// The ids of the genres.
    ///
    /// # Errors
    /// [`UnknownGenre`] when one is not among those `known`, which are sorted by name.
    pub fn resolve(&self, parameter: &'static str, known: &[Genre]) -> Result<Vec<i32>, UnknownGenre> {
        let id = |wanted: &GenreName| known.iter().find(|genre| wanted.is(genre)).map(|genre| genre.id);
        let mut ids =
            self.genres.iter().map(id).collect::<Option<Vec<_>>>().ok_or_else(|| UnknownGenre {
                parameter,
                known: known.iter().map(|genre| genre.name.clone()).collect(),
            })?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

/// Genres that there are, to look many names up in.
#[derive(Debug, Clone, Default)]
pub struct KnownGenres {
    names: Vec<String>,
    ids: HashMap<GenreName, i32>,
}

impl KnownGenres {
    /// Of genres sorted by name.
    pub fn new(genres: Vec<Genre>) -> Self {
        let mut ids = HashMap::with_capacity(2 * genres.len());
        for genre in &genres {
            ids.insert(GenreName::Id(genre.id), genre.id);
            ids.entry(GenreName::Name(genre.name.to_lowercase())).or_insert(genre.id);
        }
        Self { ids, names: genres.into_iter().map(|genre| genre.name).collect() }
    }

    /// The ids of these genres, sorted, each once.
    ///
    /// # Errors
    /// [`UnknownGenre`] when one is not known.
    pub fn ids(&self, parameter: &'static str, names: &[GenreName]) -> Result<Vec<i32>, UnknownGenre> {
        let ids = names.iter().map(|name| self.ids.get(name).copied()).collect::<Option<Vec<_>>>();
        let mut ids = ids.ok_or_else(|| UnknownGenre { parameter, known: self.names.clone() })?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

impl GenreName {
    /// An id when it is all digits; `None` for an empty or a too long text.
    pub fn parse(text: &str) -> Option<Self> {
        match text.len() {
            0 => None,
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Self::Id),
            _ => (text.chars().count() <= MAX_NAME_CHARS).then(|| Self::Name(text.to_lowercase())),
        }
    }

    fn is(&self, genre: &Genre) -> bool {
        match self {
            Self::Id(id) => genre.id == *id,
            Self::Name(name) => genre.name.to_lowercase() == *name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Genre> {
        [(3, "Action"), (1, "Drama"), (2, "Science Fiction")]
            .map(|(id, name)| Genre { id, name: name.to_owned() })
            .into()
    }

    #[test]
    fn genres_are_named_in_any_case_or_by_id() {
        for (text, all, ids) in [
            ("drama", false, vec![1]),
            ("DRAMA,drama,1", true, vec![1]),
            ("science fiction , 3", true, vec![2, 3]),
            ("2|action", false, vec![2, 3]),
        ] {
            let filter = GenreFilter::parse(text).expect(text);
            assert_eq!((filter.all, filter.resolve("with_genres", &known())), (all, Ok(ids)), "{text}");
        }
        assert_eq!(GenreFilter::parse("a,B"), GenreFilter::parse("b,A"), "one cache entry for both");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let many = vec!["x"; 21].join(",");
        let long = "x".repeat(101);
        for text in ["", " ", ",", "drama,", "|drama", "a,b|c", "99999999999", &many, &long, &"1,".repeat(5000)] {
            assert_eq!(GenreFilter::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_unknown_genre_lists_those_known() {
        for text in ["Dramas", "4", "drama,x"] {
            let error = GenreFilter::parse(text).expect(text).resolve("without_genres", &known());
            let names = ["Action", "Drama", "Science Fiction"].map(str::to_owned).into();
            assert_eq!(error, Err(UnknownGenre { parameter: "without_genres", known: names }), "{text}");
        }
    }
}

//! What the list can say besides the fields that it always has: more fields of each movie, and counts.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    genre::GenreSummary,
    parameters::{InvalidParameter, strict},
};

/// A field of the detail that the rows of the list can have too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "named like the fields of the detail")]
pub enum Include {
    Genres,
    Overview,
    OriginalTitle,
    Language,
    Duration,
    BackdropUrl,
    VoteAverage,
    VoteCount,
    TmdbId,
    LockedFields,
    CreatedAt,
    UpdatedAt,
}

/// By what movies are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// Genres.
    Genres,
    /// Original languages.
    Language,
    /// Years of release.
    Year,
}

/// All fields that can be asked for.
pub const INCLUDES: [(&str, Include); 12] = [
    ("genres", Include::Genres),
    ("overview", Include::Overview),
    ("original_title", Include::OriginalTitle),
    ("language", Include::Language),
    ("duration", Include::Duration),
    ("backdrop_url", Include::BackdropUrl),
    ("vote_average", Include::VoteAverage),
    ("vote_count", Include::VoteCount),
    ("tmdb_id", Include::TmdbId),
    ("locked_fields", Include::LockedFields),
    ("created_at", Include::CreatedAt),
    ("updated_at", Include::UpdatedAt),
];
/// All that can be counted.
pub const FACETS: [(&str, Facet); 3] =
    [("genres", Facet::Genres), ("language", Facet::Language), ("year", Facet::Year)];

const INCLUDE_EXPECTED: &str = "some of genres, overview, original_title, language, duration, backdrop_url, vote_average, \
                                vote_count, tmdb_id, locked_fields, created_at, updated_at, each once, separated by ','";
const FACETS_EXPECTED: &str = "some of genres, language, year, each once, separated by ','";

/// Reads `include`.
pub(super) fn include(query: &str) -> Result<Vec<Include>, InvalidParameter> {
    Ok(strict(query, "include", INCLUDE_EXPECTED, |text| names(text, &INCLUDES))?.unwrap_or_default())
}

/// Reads `facets`.
pub(super) fn facets(query: &str) -> Result<Vec<Facet>, InvalidParameter> {
    Ok(strict(query, "facets", FACETS_EXPECTED, |text| names(text, &FACETS))?.unwrap_or_default())
}

/// Sorted; `None` when one is unknown or named twice.
fn names<T: Copy + Ord>(text: &str, known: &[(&str, T)]) -> Option<Vec<T>> {
    let find = |part: &str| known.iter().find(|(name, _)| *name == part).map(|(_, value)| *value);
    let mut found = text.split(',').take(known.len() + 1).map(find).collect::<Option<Vec<_>>>()?;
    let count = found.len();
    found.sort_unstable();
    found.dedup();
    (found.len() == count).then_some(found)
}

/// Their names, separated by commas.
pub fn list<T: PartialEq>(wanted: &[T], known: &[(&'static str, T)]) -> String {
    let names = known.iter().filter(|(_, value)| wanted.contains(value)).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(",")
}

/// Numbers of movies under the filters; only those that were asked for.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Facets {
    /// By genre, most frequent first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genres: Option<Vec<GenreSummary>>,
    /// By original language, most frequent first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Vec<LanguageCount>>,
    /// By year of release, latest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<Vec<YearCount>>,
}

/// How many movies are in a language.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LanguageCount {
    /// ISO 639-1.
    #[schema(example = "en")]
    pub language: String,
    /// Movies.
    #[schema(example = 117, minimum = 0)]
    pub movies: i64,
}

/// How many movies are of a year.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct YearCount {
    /// The year.
    #[schema(example = 1999, minimum = 1, maximum = 9999)]
    pub year: i32,
    /// Movies.
    #[schema(example = 12, minimum = 0)]
    pub movies: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_order_each_once() {
        assert_eq!(facets("facets=year,genres"), Ok(vec![Facet::Genres, Facet::Year]));
        assert_eq!(include("include=tmdb_id%2Coverview"), Ok(vec![Include::Overview, Include::TmdbId]));
        assert_eq!((include(""), facets("")), (Ok(vec![]), Ok(vec![])));
        assert_eq!(list(&[Facet::Year, Facet::Genres], &FACETS), "genres,year");
        for (name, known) in INCLUDES {
            assert_eq!(include(&format!("include={name}")), Ok(vec![known]));
            assert!(INCLUDE_EXPECTED.contains(name));
        }
        for (name, _) in FACETS {
            assert!(FACETS_EXPECTED.contains(name));
        }
    }
}

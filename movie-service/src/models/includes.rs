//! What the list can say besides the fields that it always has: more fields of each movie, and counts.

use serde::Serialize;
use strum::{AsRefStr, EnumString, VariantNames};
use utoipa::ToSchema;

use super::genre::GenreSummary;

/// A field of the detail that the rows of the list can have too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Facet {
    /// Genres.
    Genres,
    /// Original languages.
    Language,
    /// Years of release.
    Year,
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

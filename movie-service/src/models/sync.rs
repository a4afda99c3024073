//! What a sync is asked for, and its result.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::genre::GenreFilter;

/// Where movies come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceName {
    /// TMDB's API.
    Tmdb,
    /// The catalogue built into the service.
    Sample,
}

impl SourceName {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tmdb => "tmdb",
            Self::Sample => "sample",
        }
    }
}

/// A checked request for a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRequest {
    /// Whether a job is to be started, instead of an answer when everything is stored.
    pub is_async: bool,
    /// As they were given.
    pub parameters: SyncParameters,
    /// The genres that `with_genres` names.
    pub genres: Option<GenreFilter>,
    /// The first and the last year of `year` or `years`.
    pub years: Option<(i32, i32)>,
}

/// The parameters of a sync as they were given, and `pages` as it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SyncParameters {
    /// Pages at most, of each year when there are several.
    #[schema(example = 500, minimum = 1, maximum = 500)]
    pub pages: u32,
    /// The year of release.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1994)]
    pub year: Option<i32>,
    /// The years of release.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1990..2025")]
    pub years: Option<String>,
    /// Genres by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Drama,War")]
    pub with_genres: Option<String>,
    /// The original language.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "fr")]
    pub language: Option<String>,
}

impl SyncRequest {
    /// What is to be fetched, with TMDB's ids of the genres.
    pub fn plan(&self, genres: Option<TmdbGenres>) -> SyncPlan {
        let SyncParameters { pages, language, .. } = &self.parameters;
        SyncPlan { pages: *pages, years: self.years, genres, language: language.clone() }
    }
}

/// What a sync fetches: one list of movies, or one for each year.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncPlan {
    /// Pages of each list at most.
    pub pages: u32,
    /// The first and the last year.
    pub years: Option<(i32, i32)>,
    /// Genres that movies must have.
    pub genres: Option<TmdbGenres>,
    /// The original language.
    pub language: Option<String>,
}

impl SyncPlan {
    /// The number of lists.
    pub fn lists(&self) -> u32 {
        self.years.map_or(1, |(from, to)| u32::try_from(to - from + 1).unwrap_or(0))
    }

    /// A list, counted from 0.
    pub fn list(&self, number: u32) -> Discover {
        let year = self.years.map(|(from, _)| from + i32::try_from(number).unwrap_or(0));
        Discover { year, genres: self.genres.clone(), language: self.language.clone() }
    }
}

/// A list of movies at TMDB, by popularity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discover {
    /// The year of release.
    pub year: Option<i32>,
    /// Genres that movies must have.
    pub genres: Option<TmdbGenres>,
    /// The original language.
    pub language: Option<String>,
}

/// Genres under TMDB's ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TmdbGenres {
    /// Whether all of them are meant, rather than any.
    pub all: bool,
    /// At least one.
    pub ids: Vec<i32>,
}

/// What a sync did.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncReport {
    /// Always `sync completed`.
    #[schema(example = "sync completed")]
    pub message: &'static str,
    /// Distinct movies stored, whether they were new, changed or the same as before.
    #[schema(example = 100, minimum = 0)]
    pub movies_synced: usize,
    /// Pages stored.
    #[schema(example = 5, minimum = 0)]
    pub pages: usize,
    /// `tmdb`, or `sample` when no TMDB key is configured.
    pub source: SourceName,
    /// Pages that could not be fetched or stored; the others are in the catalogue.
    pub failed_pages: Vec<FailedPage>,
    /// Rows of the pages stored that could not be used, for example without a title.
    #[schema(example = 0, minimum = 0)]
    pub skipped: usize,
}

/// A page that is missing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FailedPage {
    /// The year it belongs to, when years were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1994)]
    pub year: Option<i32>,
    /// The page, counted from 1.
    #[schema(example = 3, minimum = 1)]
    pub page: u32,
    /// Why, in short.
    #[schema(example = "TMDB answered 500")]
    pub error: String,
}

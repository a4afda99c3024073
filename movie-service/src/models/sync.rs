//! What a sync is asked for, and its result.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    genre::GenreFilter,
    parameters::{InvalidParameter, first_value, strict},
};

const DEFAULT_PAGES: u32 = 5;
/// A client waits for these.
const MAX_PAGES: u32 = 50;
/// TMDB serves no more of one query.
const MAX_JOB_PAGES: u32 = 500;
const EARLIEST_YEAR: i32 = 1874;
const LATEST_YEAR: i32 = 2100;
const MAX_YEARS: i32 = 200;

const YEAR: &str = "a year from 1874 to 2100";
const YEARS: &str = "a range of at most 200 years from 1874 to 2100, such as 1990..2025";
const LANGUAGE: &str = "an ISO 639-1 language code of 2 letters";

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
    /// Reads a query string: `pages` as leniently as ever, everything else strictly.
    ///
    /// # Errors
    /// [`InvalidParameter`].
    pub fn parse(query: &str) -> Result<Self, InvalidParameter> {
        let is_async = strict(query, "mode", "'async'", |text| (text == "async").then_some(()))?.is_some();
        let year = strict(query, "year", YEAR, year)?;
        let years = strict(query, "years", YEARS, years)?;
        if year.is_some() && years.is_some() {
            return Err(InvalidParameter::value("years", "it not together with year"));
        }
        let genres = strict(query, "with_genres", GenreFilter::EXPECTED, |text| {
            GenreFilter::parse(text).map(|filter| (text.to_owned(), filter))
        })?;
        let (with_genres, genres) = genres.unzip();
        let parameters = SyncParameters {
            pages: pages(query, if is_async { MAX_JOB_PAGES } else { MAX_PAGES }),
            year,
            years: years.map(|(from, to)| format!("{from}..{to}")),
            with_genres,
            language: strict(query, "language", LANGUAGE, language)?,
        };
        Ok(Self { is_async, parameters, genres, years: years.or(year.map(|year| (year, year))) })
    }

    /// What is to be fetched, with TMDB's ids of the genres.
    pub fn plan(&self, genres: Option<TmdbGenres>) -> SyncPlan {
        let SyncParameters { pages, language, .. } = &self.parameters;
        SyncPlan { pages: *pages, years: self.years, genres, language: language.clone() }
    }
}

/// Clamped to what there may be, 5 when it is missing or not a number.
fn pages(query: &str, most: u32) -> u32 {
    let pages = first_value(query, "pages").and_then(|text| text.parse::<i64>().ok());
    pages.map_or(DEFAULT_PAGES, |pages| u32::try_from(pages.max(1)).unwrap_or(most).min(most))
}

fn year(text: &str) -> Option<i32> {
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|year| (EARLIEST_YEAR..=LATEST_YEAR).contains(year))
}

fn years(text: &str) -> Option<(i32, i32)> {
    let (from, to) = text.split_once("..")?;
    Some((year(from)?, year(to)?)).filter(|(from, to)| (0..MAX_YEARS).contains(&(to - from)))
}

fn language(text: &str) -> Option<String> {
    let letters = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    letters.then(|| text.to_ascii_lowercase())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_are_clamped() {
        for (value, now, job) in [
            ("", 5, 5),
            ("pages=", 5, 5),
            ("pages=x", 5, 5),
            ("pages=NaN", 5, 5),
            ("pages=0", 1, 1),
            ("pages=-3", 1, 1),
            ("pages=7", 7, 7),
            ("pages=51", 50, 51),
            ("pages=501", 50, 500),
            ("pages=9223372036854775807", 50, 500),
        ] {
            let pages = |query: &str| SyncRequest::parse(query).expect("no mistakes").parameters.pages;
            assert_eq!((pages(value), pages(&format!("mode=async&{value}"))), (now, job), "{value}");
        }
    }

    #[test]
    fn years_are_lists_of_their_own() {
        let plan = |query: &str| SyncRequest::parse(query).expect(query).plan(None);
        let years = |query: &str| {
            let plan = plan(query);
            (0..plan.lists()).map(|list| plan.list(list).year).collect::<Vec<_>>()
        };
        assert_eq!(years(""), [None]);
        assert_eq!(years("year=1994"), [Some(1994)]);
        assert_eq!(years("years=1994..1996"), [Some(1994), Some(1995), Some(1996)]);
        assert_eq!(plan("years=1901..2100").lists(), 200);
        assert_eq!(plan("language=FR").list(0).language.as_deref(), Some("fr"));
    }

    proptest! {
        #[test]
        fn any_query_is_read_within_bounds(query in "[ -~]{0,80}|(mode|pages|year|years|language|with_genres)=\\PC{0,20}") {
            if let Ok(request) = SyncRequest::parse(&query) {
                let most = if request.is_async { 500 } else { 50 };
                prop_assert!((1..=most).contains(&request.parameters.pages));
                prop_assert!((1..=200).contains(&request.plan(None).lists()));
            }
        }
    }
}

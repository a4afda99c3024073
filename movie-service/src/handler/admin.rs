//! Administration: bringing the catalogue up to date.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer};
use strum::EnumString;
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::{
        genre::GenreFilter,
        job::Job,
        sync::{SyncParameters, SyncReport, SyncRequest},
    },
    service::{
        error::ListError,
        sync::{SyncError, SyncFailure},
        tmdb::TmdbError,
    },
};

use super::{
    jobs::answer,
    parameters::values::{letters, whole},
    request_validation::query::{QueryParameters, ValidQuery, invalid_parameter, lenient, strict},
    responses::{InvalidSyncRequest, SyncRunning, SyncUnavailable, TmdbUnavailable},
};

const DEFAULT_PAGES: i64 = 5;
/// A client waits for these.
const MAX_PAGES: i64 = 50;
/// TMDB serves no more of one query.
const MAX_JOB_PAGES: i64 = 500;
const MAX_YEARS: i32 = 200;

/// What a sync is asked for. All but `pages` are strict.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct SyncQuery {
    /// Pages of TMDB's list to fetch, of each year when there are several, most popular first: clamped to 1..50, with
    /// `mode=async` to 1..500, and 5 when it is not a number. Without a TMDB key it limits nothing: the built-in sample
    /// is always loaded whole.
    #[serde(deserialize_with = "lenient")]
    #[param(minimum = 1, maximum = 500, default = 5)]
    pages: Option<i64>,
    /// `async` starts a job.
    #[serde(deserialize_with = "mode")]
    #[param(inline)]
    mode: Option<Mode>,
    /// Movies released in this year.
    #[serde(deserialize_with = "year")]
    #[param(minimum = 1874, maximum = 2100)]
    year: Option<i32>,
    /// Movies released in these years, at most 200, each with `pages` pages; such as `1990..2025`. Not together with
    /// `year`.
    #[serde(deserialize_with = "years")]
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}[.][.][0-9]{4}$")]
    years: Option<(i32, i32)>,
    /// Movies that have these genres: names in any case, or ids; all with `,`, any with `|`; such as `Drama,War`.
    #[serde(deserialize_with = "genres")]
    #[param(
        value_type = Option<String>,
        pattern = "^[^,|]+(,[^,|]+){0,19}$|^[^,|]+([|][^,|]+){1,19}$"
    )]
    with_genres: Option<(String, GenreFilter)>,
    /// Movies in this original language (ISO 639-1), in any case; such as `fr`.
    #[serde(deserialize_with = "language")]
    #[param(pattern = "^[A-Za-z]{2}$")]
    language: Option<String>,
}

/// How a sync is answered, other than when everything is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, ToSchema)]
#[strum(serialize_all = "lowercase")]
#[schema(rename_all = "lowercase")]
pub enum Mode {
    /// At once, with the job that was started.
    Async,
}

impl QueryParameters for SyncQuery {
    const ORIGINAL: Option<&'static [&'static str]> = Some(&["pages"]);
}

impl TryFrom<SyncQuery> for SyncRequest {
    type Error = ApiError;

    fn try_from(query: SyncQuery) -> Result<Self, ApiError> {
        let SyncQuery { pages, mode, year, years, with_genres, language } = query;
        if year.is_some() && years.is_some() {
            return Err(invalid_parameter("years", ErrorCode::InvalidParameter, "it not together with year"));
        }
        let is_async = mode == Some(Mode::Async);
        let pages = pages.unwrap_or(DEFAULT_PAGES).clamp(1, if is_async { MAX_JOB_PAGES } else { MAX_PAGES });
        let (with_genres, genres) = with_genres.unzip();
        let parameters = SyncParameters {
            pages: u32::try_from(pages).unwrap_or(1),
            year,
            years: years.map(|(from, to)| format!("{from}..{to}")),
            with_genres,
            language,
        };
        Ok(Self { is_async, parameters, genres, years: years.or(year.map(|year| (year, year))) })
    }
}

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Mode>, D::Error> {
    strict(deserializer, "'async'", |text| text.parse().ok())
}

fn year<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    strict(deserializer, "a year from 1874 to 2100", four_digits)
}

fn years<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<(i32, i32)>, D::Error> {
    strict(deserializer, "a range of at most 200 years from 1874 to 2100, such as 1990..2025", |text| {
        let (from, to) = text.split_once("..")?;
        Some((four_digits(from)?, four_digits(to)?)).filter(|(from, to)| (0..MAX_YEARS).contains(&(to - from)))
    })
}

fn four_digits(text: &str) -> Option<i32> {
    whole(text).filter(|year| text.len() == 4 && (1874..=2100).contains(year))
}

/// As they were given, and what they mean.
fn genres<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<(String, GenreFilter)>, D::Error> {
    strict(deserializer, GenreFilter::EXPECTED, |text| Some((text.to_owned(), GenreFilter::parse(text)?)))
}

fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    strict(deserializer, "an ISO 639-1 language code of 2 letters", |text| letters(text, 2..=2))
}

/// Synchronise the catalogue
///
/// Fetches genres and pages of movies from TMDB, or loads the built-in sample when no TMDB key is configured. A page that
/// failed is named; the others are stored whole. Runtimes follow in the background. Without `mode`, the answer comes when
/// everything is stored. With `mode=async` a job is started, which may take hours, survives restarts, and can be followed
/// and cancelled. TMDB serves at most 500 pages of one list: ask for `years` to bring in more than 10,000 movies.
#[utoipa::path(
    post,
    path = "/api/v1/admin/sync",
    operation_id = "syncCatalogue",
    tag = "administration",
    params(SyncQuery),
    responses(
        (status = 200, description = "What was stored, and which pages are missing", body = SyncReport),
        (status = 202, description = "The job that was started (`mode=async`)", body = Job,
            headers(("Location" = String, description = "Where the job is"))),
        (status = 400, response = InvalidSyncRequest),
        (status = 409, response = SyncRunning),
        (status = 502, response = TmdbUnavailable),
        (status = 503, response = SyncUnavailable),
    )
)]
pub async fn sync(State(app): State<Arc<App>>, ValidQuery(query): ValidQuery<SyncQuery>) -> Result<Response, ApiError> {
    let request = SyncRequest::try_from(query)?;
    if !request.is_async {
        return Ok(Json(app.sync.run(request).await?).into_response());
    }
    let job = app.sync.start(request).await?;
    let location = [(header::LOCATION, format!("/api/v1/admin/sync/jobs/{}", job.id))];
    Ok((location, answer(StatusCode::ACCEPTED, &job)).into_response())
}

impl From<SyncFailure> for ApiError {
    fn from(error: SyncFailure) -> Self {
        match error {
            SyncFailure::UnknownGenre(unknown) => ListError::UnknownGenre(unknown).into(),
            SyncFailure::Sync(error) => error.into(),
        }
    }
}

impl From<SyncError> for ApiError {
    fn from(error: SyncError) -> Self {
        let text = error.to_string();
        match error {
            SyncError::AlreadyRunning => Self::conflict(ErrorCode::SyncRunning, text),
            SyncError::Cancelled => Self::conflict(ErrorCode::SyncCancelled, text),
            SyncError::Tmdb(TmdbError::Unauthorized) => {
                Self::new(StatusCode::BAD_GATEWAY, ErrorCode::TmdbKeyRefused, text)
            }
            SyncError::Tmdb(_) | SyncError::TookTooLong => {
                Self::new(StatusCode::BAD_GATEWAY, ErrorCode::TmdbUnavailable, format!("sync failed: {text}"))
            }
            SyncError::Stopping | SyncError::Database | SyncError::Refused => Self::unavailable(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::request_validation::query::parse_query, *};

    fn request(query: &str) -> Result<SyncRequest, ApiError> {
        parse_query::<SyncQuery>(query)?.try_into()
    }

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
            let pages = |query: &str| request(query).expect(query).parameters.pages;
            assert_eq!((pages(value), pages(&format!("mode=async&{value}"))), (now, job), "{value}");
        }
    }

    #[test]
    fn years_are_lists_of_their_own() {
        let plan = |query: &str| request(query).expect(query).plan(None);
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
            if let Ok(request) = request(&query) {
                let most = if request.is_async { 500 } else { 50 };
                prop_assert!((1..=most).contains(&request.parameters.pages));
                prop_assert!((1..=200).contains(&request.plan(None).lists()));
            }
        }
    }
}

//! Movies as clients see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::models::{
    includes::{Facets, Include},
    movie::{self, ListedMovie, Movie, date_text},
};

/// TMDB's image server, at the width that fits a poster.
pub(super) const POSTER_PREFIX: &str = "https://image.tmdb.org/t/p/w500";
/// TMDB's image server, at the width that fits a backdrop.
pub(super) const BACKDROP_PREFIX: &str = "https://image.tmdb.org/t/p/w780";
/// Where tickets are sold: a placeholder, the same for every movie.
const BOOKING_URL: &str = "https://www.google.com/";

/// One page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoviePage {
    /// The page, counted from 1.
    #[schema(example = 1, minimum = 1)]
    pub page: i64,
    /// Movies on a full page.
    #[schema(example = 20, minimum = 1, maximum = 100)]
    pub page_size: i64,
    /// Pages there are; 0 when nothing matches.
    #[schema(example = 13, minimum = 0)]
    pub total_pages: i64,
    /// Movies that match.
    #[schema(example = 250, minimum = 0)]
    pub total_results: i64,
    /// The movies; empty on a page past the end.
    pub data: Vec<MovieSummary>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required, example = "dDR3c1E2MTFhY0ZQbDhPOQEAAAAAAAAAFAAAAAcAAQAA")]
    pub next_cursor: Option<String>,
    /// With `facets`: how many of the movies that match have each value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<Facets>,
}

/// A movie in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovieSummary {
    /// The platform's own id.
    #[schema(example = 1, minimum = 1)]
    pub id: i32,
    /// Its title.
    #[schema(example = "The Matrix")]
    pub title: String,
    /// `YYYY-MM-DD`, or empty when unknown.
    #[schema(example = "1999-03-31")]
    pub release_date: String,
    /// TMDB's popularity; 0 when unknown.
    #[schema(example = 85.3)]
    pub popularity: f64,
    /// The address of its poster, or empty.
    #[schema(example = "https://image.tmdb.org/t/p/w500/poster.jpg")]
    pub poster_url: String,
    /// What `include` asks for.
    #[serde(flatten)]
    pub included: Included,
}

/// Fields of the detail that the list has when `include` asks for them.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Included {
    /// Names, sorted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["Action", "Science Fiction"]))]
    pub genres: Option<Vec<String>>,
    /// What it is about; empty when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub overview: Option<String>,
    /// Its title in its own language; empty when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub original_title: Option<String>,
    /// The original language (ISO 639-1), or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "en")]
    pub language: Option<String>,
    /// Minutes; 0 when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, example = 136, minimum = 0)]
    pub duration: Option<i32>,
    /// The address of its backdrop, or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub backdrop_url: Option<String>,
    /// The average vote, 0 to 10; 0 when nobody voted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false, example = 8.2, minimum = 0, maximum = 10)]
    pub vote_average: Option<f64>,
    /// How many voted; 0 when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, example = 26000, minimum = 0)]
    pub vote_count: Option<i32>,
    /// Its id at TMDB; null when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, required = false, example = 603, minimum = 1)]
    pub tmdb_id: Option<Option<i32>>,
    /// Names of the fields that a sync does not overwrite, sorted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false)]
    pub locked_fields: Option<Vec<String>>,
    /// When the platform got to know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = DateTime<Utc>, required = false)]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = DateTime<Utc>, required = false)]
    pub updated_at: Option<DateTime<Utc>>,
}

/// Everything about one movie.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovieDetail {
    /// The platform's own id.
    #[schema(example = 1, minimum = 1)]
    pub id: i32,
    /// Its title.
    #[schema(example = "The Matrix")]
    pub title: String,
    /// What it is about; empty when unknown.
    #[schema(example = "A hacker learns that the world he knows is a simulation.")]
    pub overview: String,
    /// `YYYY-MM-DD`, or empty when unknown.
    #[schema(example = "1999-03-31")]
    pub release_date: String,
    /// Names, sorted.
    #[schema(example = json!(["Action", "Science Fiction"]))]
    pub genres: Vec<String>,
    /// The original language (ISO 639-1), or empty.
    #[schema(example = "en")]
    pub language: String,
    /// Minutes; 0 when unknown.
    #[schema(example = 136, minimum = 0)]
    pub duration: i32,
    /// TMDB's popularity; 0 when unknown.
    #[schema(example = 85.3)]
    pub popularity: f64,
    /// The address of its poster, or empty.
    #[schema(example = "https://image.tmdb.org/t/p/w500/poster.jpg")]
    pub poster_url: String,
    /// The address of its backdrop, or empty.
    #[schema(example = "https://image.tmdb.org/t/p/w780/backdrop.jpg")]
    pub backdrop_url: String,
    /// Where tickets are sold.
    #[schema(example = "https://www.google.com/")]
    pub booking_url: &'static str,
    /// Its id at TMDB; null when it has none.
    #[schema(example = 603, minimum = 1)]
    pub tmdb_id: Option<i32>,
    /// Its title in its own language; empty when unknown.
    #[schema(example = "The Matrix")]
    pub original_title: String,
    /// The average vote, 0 to 10; 0 when nobody voted.
    #[schema(example = 8.2, minimum = 0, maximum = 10)]
    pub vote_average: f64,
    /// How many voted; 0 when unknown.
    #[schema(example = 26000, minimum = 0)]
    pub vote_count: i32,
    /// Names of the fields that a sync does not overwrite, sorted.
    #[schema(example = json!(["overview"]))]
    pub locked_fields: Vec<String>,
    /// When the platform got to know it.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<movie::MoviePage> for MoviePage {
    fn from(page: movie::MoviePage) -> Self {
        let movies = page.movies.into_iter();
        Self {
            page: page.page,
            page_size: page.page_size,
            total_pages: (page.total + page.page_size - 1) / page.page_size,
            total_results: page.total,
            data: movies.map(|movie| MovieSummary::new(movie, &page.include)).collect(),
            next_cursor: page.next_cursor,
            facets: page.facets,
        }
    }
}

impl MovieSummary {
    fn new(movie: ListedMovie, include: &[Include]) -> Self {
        let wants = |field| include.contains(&field);
        Self {
            id: movie.id,
            title: movie.title,
            release_date: date_text(movie.release_date),
            popularity: movie.popularity.unwrap_or_default(),
            poster_url: image_url(POSTER_PREFIX, movie.poster_path),
            included: Included {
                genres: movie.genres,
                overview: movie.overview,
                original_title: wants(Include::OriginalTitle).then(|| movie.original_title.unwrap_or_default()),
                language: wants(Include::Language).then(|| movie.original_language.unwrap_or_default()),
                duration: wants(Include::Duration).then(|| movie.runtime.unwrap_or_default()),
                backdrop_url: wants(Include::BackdropUrl).then(|| image_url(BACKDROP_PREFIX, movie.backdrop_path)),
                vote_average: wants(Include::VoteAverage).then(|| movie.rating.unwrap_or_default()),
                vote_count: wants(Include::VoteCount).then(|| movie.vote_count.unwrap_or_default()),
                tmdb_id: wants(Include::TmdbId).then(|| shown_tmdb_id(movie.tmdb_id)),
                locked_fields: movie.locked_fields,
                created_at: wants(Include::CreatedAt).then_some(movie.created_at),
                updated_at: movie.updated_at,
            },
        }
    }
}

impl From<Movie> for MovieDetail {
    fn from(movie: Movie) -> Self {
        Self {
            id: movie.id,
            title: movie.title,
            overview: movie.overview,
            release_date: date_text(movie.release_date),
            genres: movie.genres,
            language: movie.original_language.unwrap_or_default(),
            duration: movie.runtime.unwrap_or_default(),
            popularity: movie.popularity.unwrap_or_default(),
            poster_url: image_url(POSTER_PREFIX, movie.poster_path),
            backdrop_url: image_url(BACKDROP_PREFIX, movie.backdrop_path),
            booking_url: BOOKING_URL,
            tmdb_id: shown_tmdb_id(movie.tmdb_id),
            original_title: movie.original_title.unwrap_or_default(),
            vote_average: movie.rating.unwrap_or_default(),
            vote_count: movie.vote_count.unwrap_or_default(),
            locked_fields: movie.locked_fields,
            created_at: movie.created_at,
            updated_at: movie.updated_at,
        }
    }
}

/// An address, or an empty text.
pub(super) fn image_url(prefix: &str, path: Option<String>) -> String {
    path.filter(|path| !path.is_empty()).map(|path| format!("{prefix}{path}")).unwrap_or_default()
}

/// The sample's are negative: places in a file, not ids at TMDB.
fn shown_tmdb_id(id: Option<i32>) -> Option<i32> {
    id.filter(|id| *id > 0)
}

//! The answer to "what should this user watch?".

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{catalogue::Catalogue, rule::rfc3339};

/// Stands before a poster path to make an address.
const POSTER_PREFIX: &str = "https://image.tmdb.org/t/p/w500";

/// A list of recommendations.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecommendationList<'a> {
    /// For whom.
    #[schema(example = 1, minimum = 1)]
    pub user_id: i64,
    /// Best first.
    pub recommendations: Vec<Recommendation<'a>>,
    /// When the list was made.
    #[serde(serialize_with = "rfc3339")]
    #[schema(example = "2026-11-22T12:00:00.000000Z")]
    pub generated_at: DateTime<Utc>,
}

/// A recommended movie.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recommendation<'a> {
    /// The platform's own id.
    #[schema(example = 1)]
    id: i32,
    /// Its title.
    #[schema(example = "The Matrix")]
    title: &'a str,
    /// Day of release, or `""` when unknown.
    #[schema(example = "1999-03-31")]
    release_date: String,
    /// Names, sorted.
    #[schema(example = json!(["Action", "Science Fiction"]))]
    genres: Vec<&'a str>,
    /// As on TMDB; 0 when unknown.
    #[schema(example = 83.2)]
    popularity: f64,
    /// Address of the poster, or `""` when there is none.
    #[schema(example = "https://image.tmdb.org/t/p/w500/f89U3ADr1oiB1s9GkdPOEpXUk5H.jpg")]
    poster_url: Cow<'a, str>,
    /// Weighted sum, to four decimals.
    #[schema(example = 0.7312, minimum = 0)]
    score: f64,
    /// Why it is there.
    #[schema(example = "highly popular, matches your preferred genres")]
    reason: String,
}

impl<'a> Recommendation<'a> {
    /// The movie at `place` of the catalogue, with its score and why it is there.
    pub fn new(catalogue: &'a Catalogue, place: usize, score: f64, reason: String) -> Self {
        let poster = catalogue.poster_path(place);
        Self {
            id: catalogue.ids()[place],
            title: catalogue.title(place),
            release_date: catalogue.release_date(place).map(|date| date.to_string()).unwrap_or_default(),
            genres: catalogue.genres(place).collect(),
            popularity: catalogue.popularity()[place],
            poster_url: if poster.is_empty() { Cow::Borrowed("") } else { format!("{POSTER_PREFIX}{poster}").into() },
            score,
            reason,
        }
    }
}

//! A movie as clients see it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::includes::Facets;

/// TMDB's image server, at the width that fits a poster.
pub const POSTER_PREFIX: &str = "https://image.tmdb.org/t/p/w500";
/// TMDB's image server, at the width that fits a backdrop.
pub const BACKDROP_PREFIX: &str = "https://image.tmdb.org/t/p/w780";
/// Where tickets are sold: a placeholder, the same for every movie.
pub const BOOKING_URL: &str = "https://www.google.com/";

/// The platform's own id of a movie: above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MovieId(i32);

/// Why a text is not the id of a movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovieIdError {
    /// It is not a decimal number.
    NotANumber,
    /// It is a number that no movie can have.
    NoSuchMovie,
}

impl MovieId {
    /// Parses a decimal number; a sign or leading zeros may stand before it.
    ///
    /// # Errors
    /// [`MovieIdError`], which tells texts from numbers out of range.
    pub fn parse(text: &str) -> Result<Self, MovieIdError> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MovieIdError::NotANumber);
        }
        match text.parse::<i32>() {
            Ok(id) if id > 0 => Ok(Self(id)),
            _ => Err(MovieIdError::NoSuchMovie),
        }
    }

    /// A number that a movie can have; `None` for 0 and below.
    pub fn new(id: i32) -> Option<Self> {
        (id > 0).then_some(Self(id))
    }

    /// The number.
    pub fn get(self) -> i32 {
        self.0
    }
}

/// The id of a movie at TMDB: above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TmdbId(i32);

impl TmdbId {
    /// Parses what [`MovieId::parse`] does.
    ///
    /// # Errors
    /// As there.
    pub fn parse(text: &str) -> Result<Self, MovieIdError> {
        MovieId::parse(text).map(|id| Self(id.get()))
    }

    /// The number.
    pub fn get(self) -> i32 {
        self.0
    }
}

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

/// The address of a poster, or an empty text.
pub fn poster_url(path: Option<&str>) -> String {
    image_url(POSTER_PREFIX, path)
}

/// The address of a backdrop, or an empty text.
pub fn backdrop_url(path: Option<&str>) -> String {
    image_url(BACKDROP_PREFIX, path)
}

fn image_url(prefix: &str, path: Option<&str>) -> String {
    path.filter(|path| !path.is_empty()).map(|path| format!("{prefix}{path}")).unwrap_or_default()
}

/// `YYYY-MM-DD`, or an empty text.
pub fn date_text(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// A date written `YYYY-MM-DD`, in the years 1 to 9999.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped || text.starts_with("0000") {
        return None;
    }
    NaiveDate::from_ymd_opt(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_have_a_sign_and_leading_zeros() {
        for text in ["7", "+7", "007", "+007"] {
            assert_eq!(MovieId::parse(text), Ok(MovieId(7)), "{text}");
        }
        assert_eq!(MovieId::parse("2147483647").map(MovieId::get), Ok(i32::MAX));
    }

    #[test]
    fn a_number_that_no_movie_has_is_told_from_a_text() {
        for text in ["0", "-0", "-1", "2147483648", "18446744073709551616", &"9".repeat(10_000)] {
            assert_eq!(MovieId::parse(text), Err(MovieIdError::NoSuchMovie), "{text}");
        }
        for text in ["", "+", "-", "+-1", "1e3", "1.0", "0x1", "abc", "1 ", "\0", "١", "１", "1/2"] {
            assert_eq!(MovieId::parse(text), Err(MovieIdError::NotANumber), "{text}");
        }
    }

    #[test]
    fn dates_are_strict() {
        assert_eq!(parse_date("1999-03-31").map(|date| date.to_string()).as_deref(), Some("1999-03-31"));
        for text in [
            "",
            "1999",
            "1999-3-31",
            "1999-02-30",
            "2024-13-45",
            "0000-00-00",
            "0000-01-01",
            "+999-01-01",
            "1999-03-31 ",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}

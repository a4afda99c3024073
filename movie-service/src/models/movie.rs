//! Movies and their ids.

use chrono::{DateTime, NaiveDate, Utc};

use super::includes::{Facets, Include};

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

/// A movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Movie {
    /// The platform's own id.
    pub id: i32,
    /// Not blank.
    pub title: String,
    /// In the language of the movie.
    pub original_title: Option<String>,
    /// Empty when unknown.
    pub overview: String,
    /// The first release.
    pub release_date: Option<NaiveDate>,
    /// Names, sorted.
    pub genres: Vec<String>,
    /// ISO 639.
    pub original_language: Option<String>,
    /// Minutes.
    pub runtime: Option<i32>,
    /// TMDB's popularity.
    pub popularity: Option<f64>,
    /// The average vote, 0 to 10, if anybody voted.
    pub rating: Option<f64>,
    /// How many voted.
    pub vote_count: Option<i32>,
    /// Begins with `/`.
    pub poster_path: Option<String>,
    /// Begins with `/`.
    pub backdrop_path: Option<String>,
    /// Id at TMDB; negative for the built-in sample.
    pub tmdb_id: Option<i32>,
    /// What a sync leaves alone, sorted.
    pub locked_fields: Vec<String>,
    /// When the platform got to know it.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A movie of the list. What only `include` asks for is `None` without it, as what is unknown.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "as in `Movie`")]
pub struct ListedMovie {
    pub id: i32,
    pub title: String,
    pub original_title: Option<String>,
    pub overview: Option<String>,
    pub release_date: Option<NaiveDate>,
    pub genres: Option<Vec<String>>,
    pub original_language: Option<String>,
    pub runtime: Option<i32>,
    pub popularity: Option<f64>,
    pub rating: Option<f64>,
    pub vote_count: Option<i32>,
    pub poster_path: Option<String>,
    pub backdrop_path: Option<String>,
    pub tmdb_id: Option<i32>,
    pub locked_fields: Option<Vec<String>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
}

/// One page of the list.
#[derive(Debug)]
pub struct MoviePage {
    /// From 1.
    pub page: i64,
    /// Movies on a full page.
    pub page_size: i64,
    /// Movies that match.
    pub total: i64,
    /// In their order.
    pub movies: Vec<ListedMovie>,
    /// More fields that are wanted of each.
    pub include: Vec<Include>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
    /// How many of the movies that match have each value, if that is wanted.
    pub facets: Option<Facets>,
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

//! Movies that are like another one.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::{InvalidParameter, strict};

const DEFAULT_LIMIT: u8 = 10;
const MAX_LIMIT: u8 = 50;

/// How many similar movies are wanted: 1 to 50.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit(u8);

impl Limit {
    /// Reads `limit` in the raw query string; 10 when it is left out.
    ///
    /// # Errors
    /// [`InvalidParameter`] when it is repeated or anything but a number from 1 to 50.
    pub fn parse(query: &str) -> Result<Self, InvalidParameter> {
        let limit = strict(query, "limit", "a whole number from 1 to 50", |text| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })?;
        Ok(Self(limit.unwrap_or(DEFAULT_LIMIT)))
    }

    /// The number.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// The movie that others are compared with.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The ids of its genres, each once.
    pub genres: Vec<i32>,
    /// Its original language.
    pub language: Option<String>,
    /// When it was released.
    pub released: Option<NaiveDate>,
    /// How many movies there are.
    pub movies: i64,
}

/// What the similarity of a movie is computed from.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// The platform's own id.
    pub id: i32,
    /// TMDB's popularity.
    pub popularity: Option<f64>,
    /// Genres that it has in common with the subject.
    pub shared: i64,
    /// All its genres.
    pub genres: i64,
    /// Its original language.
    pub language: Option<String>,
    /// When it was released.
    pub released: Option<NaiveDate>,
    /// The average vote, 0 to 10.
    pub rating: Option<f64>,
    /// How many voted.
    pub votes: Option<i32>,
}

/// Movies like another one.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarMovies {
    /// The movie that they are like.
    #[schema(example = 1, minimum = 1)]
    pub movie_id: i32,
    /// The best first.
    pub similar: Vec<SimilarMovie>,
}

/// A movie like another one.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarMovie {
    /// The platform's own id.
    #[schema(example = 2, minimum = 1)]
    pub id: i32,
    /// Its title.
    #[schema(example = "The Matrix Reloaded")]
    pub title: String,
    /// `YYYY-MM-DD`, or empty when unknown.
    #[schema(example = "2003-05-15")]
    pub release_date: String,
    /// TMDB's popularity; 0 when unknown.
    #[schema(example = 60.1)]
    pub popularity: f64,
    /// The address of its poster, or empty.
    #[schema(example = "https://image.tmdb.org/t/p/w500/poster.jpg")]
    pub poster_url: String,
    /// The similarity, 0 to 1.
    #[schema(example = 0.8623, minimum = 0, maximum = 1)]
    pub score: f64,
    /// What the score is made of, for people.
    #[schema(example = json!(["shares Action, Science Fiction", "same language", "released within 5 years", "well rated by many"]))]
    pub why: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_left_out_or_right() {
        for (query, limit) in [("", 10), ("limit=1", 1), ("limit=50", 50), ("x=1&limit=%30%37", 7), ("Limit=x", 10)] {
            assert_eq!(Limit::parse(query).map(Limit::get), Ok(limit), "{query}");
        }
        let long = format!("limit={}", "1".repeat(10_000));
        for query in [
            "limit",
            "limit=",
            "limit=0",
            "limit=51",
            "limit=-1",
            "limit=+5",
            "limit=1.0",
            "limit=NaN",
            "limit=256",
            "limit=5%00",
            "limit=%ff",
            "limit=%zz",
            "limit=1&limit=1",
            "limit= 5",
            &long,
        ] {
            assert_eq!(Limit::parse(query).map_err(|error| error.name), Err("limit"), "{query}");
        }
    }
}

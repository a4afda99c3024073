//! Movies that are like another one.

use chrono::NaiveDate;
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
#[derive(Debug)]
pub struct SimilarMovies {
    /// The movie that they are like.
    pub movie_id: i32,
    /// The best first.
    pub similar: Vec<SimilarMovie>,
}

/// A movie like another one.
#[derive(Debug)]
pub struct SimilarMovie {
    /// The platform's own id.
    pub id: i32,
    /// Its title.
    pub title: String,
    /// When it was released.
    pub release_date: Option<NaiveDate>,
    /// TMDB's popularity.
    pub popularity: Option<f64>,
    /// Begins with `/`.
    pub poster_path: Option<String>,
    /// The similarity, 0 to 1.
    pub score: f64,
    /// What the score is made of, for people.
    pub why: Vec<String>,
}

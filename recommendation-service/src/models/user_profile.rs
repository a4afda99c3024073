//! What is known about a user.

use super::feedback::Feedback;

/// What a user likes and has seen. The default is a user about whom nothing is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserProfile {
    /// Names of genres, in any case.
    pub preferred_genres: Vec<String>,
    /// The code of the language that the user prefers, in any case; `""` when none is known.
    pub preferred_language: String,
    /// Movies rated below it are left out.
    pub min_rating: f64,
    /// Ids of movies to leave out, those watched, disliked, liked, rated or abandoned: ascending, each once.
    pub seen_movie_ids: Vec<i32>,
    /// What the user did with movies: one entry a movie, the latest.
    pub feedback: Vec<Feedback>,
    /// Ids of movies that the user wants to watch: ascending, each once.
    pub watchlist: Vec<i32>,
}

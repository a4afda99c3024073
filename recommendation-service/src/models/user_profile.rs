//! What is known about a user.

/// What a user likes and has seen. The default is a user about whom nothing is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserProfile {
    /// Names of genres, in any case.
    pub preferred_genres: Vec<String>,
    /// Movies rated below it are left out.
    pub min_rating: f64,
    /// Ids of movies to leave out, watched or disliked: ascending, each once.
    pub seen_movie_ids: Vec<i32>,
}

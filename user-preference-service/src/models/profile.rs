//! What recommendations need to know of a user.

/// Preferences and seen movies in one.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The user.
    pub user_id: i64,
    /// Names of genres, in the order in which they were sent.
    pub preferred_genres: Vec<String>,
    /// `en` unless another was set.
    pub preferred_language: String,
    /// Movies rated below it are not to be recommended.
    pub min_rating: f64,
    /// Movies that the user has watched or disliked: each once, by id.
    pub seen_movie_ids: Vec<i32>,
}

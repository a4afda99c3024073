//! What recommendations need to know of a user.

use serde::Serialize;
use utoipa::ToSchema;

/// Preferences and seen movies in one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Profile {
    /// The user.
    #[schema(example = 1, minimum = 1)]
    pub user_id: i64,
    /// Names of genres, in the order in which they were sent.
    #[schema(example = json!(["Action", "Science Fiction"]), max_items = 100)]
    pub preferred_genres: Vec<String>,
    /// `en` unless another was set.
    #[schema(example = "en", max_length = 10)]
    pub preferred_language: String,
    /// Movies rated below it are not to be recommended.
    #[schema(example = 7.0, minimum = 0, maximum = 10)]
    pub min_rating: f64,
    /// Movies that the user has watched or disliked: each once, by id.
    #[schema(example = json!([7, 42]))]
    pub seen_movie_ids: Vec<i32>,
}

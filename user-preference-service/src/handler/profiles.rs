//! `/internal/v1/users/{id}/profile`, for recommendation-service.

use std::sync::Arc;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    path::UserPath,
    responses::{ServerErrors, UserErrors},
};
use crate::{
    App,
    error::ApiError,
    models::{
        interaction::InteractionType,
        profile::{Event, Profile},
    },
};

/// What recommendations need to know of a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub struct ProfileView {
    /// The user.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// Changes whenever the preferences or interactions of the user do; as in `/internal/v1/revisions`.
    #[schema(example = "7b0e1a52-3a3c-4d0c-9f4e-1d2c3b4a5f60-5")]
    revision: String,
    /// Names of genres, in the order in which they were sent.
    #[schema(example = json!(["Action", "Science Fiction"]), max_items = 100)]
    preferred_genres: Vec<String>,
    /// `en` unless another was set.
    #[schema(example = "en", max_length = 10)]
    preferred_language: String,
    /// Movies rated below it are not to be recommended.
    #[schema(example = 7.0, minimum = 0, maximum = 10)]
    min_rating: f64,
    /// The latest feedback on each movie, the newest first: the 2,000 newest at most.
    #[schema(max_items = 2000)]
    feedback: Vec<FeedbackView>,
    /// Movies with which the user did nothing after having put them on the watchlist: each once, by id.
    #[schema(example = json!([11, 12]))]
    watchlist: Vec<i32>,
    /// Movies that the user has ever watched, disliked, liked, rated or abandoned: each once, by id.
    #[schema(example = json!([7, 42]))]
    seen_movie_ids: Vec<i32>,
}

/// What a user thinks of a movie.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Feedback)]
pub struct FeedbackView {
    /// The movie, by movie-service's id.
    #[schema(example = 42, minimum = 1)]
    movie_id: i32,
    /// Any type but `watchlist`.
    #[schema(example = "rating")]
    kind: InteractionType,
    /// The points of a rating; left out with any other kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 8.5, minimum = 0.5, maximum = 10, multiple_of = 0.5)]
    value: Option<f32>,
    /// RFC 3339, UTC.
    #[schema(example = "2026-11-22T18:00:00.123456Z")]
    occurred_at: DateTime<Utc>,
}

impl From<Event> for FeedbackView {
    fn from(Event { movie_id, kind, value, occurred_at, .. }: Event) -> Self {
        Self { movie_id, kind, value, occurred_at }
    }
}

impl From<Profile> for ProfileView {
    fn from(profile: Profile) -> Self {
        let Profile { user_id, revision, preferred_genres, preferred_language, min_rating, history } = profile;
        Self {
            user_id,
            revision,
            preferred_genres,
            preferred_language,
            min_rating,
            feedback: history.feedback.into_iter().map(FeedbackView::from).collect(),
            watchlist: history.watchlist,
            seen_movie_ids: history.seen_movie_ids,
        }
    }
}

/// Show what recommendations need to know of a user
///
/// Never from a cache; equal data gives equal bytes.
#[utoipa::path(
    get,
    path = "/internal/v1/users/{id}/profile",
    operation_id = "getProfile",
    tag = "internal",
    params(UserPath),
    responses((status = 200, description = "The profile", body = ProfileView), UserErrors, ServerErrors)
)]
pub async fn get_profile(State(app): State<Arc<App>>, path: UserPath) -> Result<Json<ProfileView>, ApiError> {
    Ok(Json(app.profiles.get(path.id).await?.into()))
}

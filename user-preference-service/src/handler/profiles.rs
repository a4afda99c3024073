//! `/internal/v1/users/{id}/profile`, for recommendation-service.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    path::UserPath,
    responses::{ServerErrors, UserErrors},
};
use crate::{App, error::ApiError, models::profile::Profile};

/// What recommendations need to know of a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub struct ProfileView {
    /// The user.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// Names of genres, in the order in which they were sent.
    #[schema(example = json!(["Action", "Science Fiction"]), max_items = 100)]
    preferred_genres: Vec<String>,
    /// `en` unless another was set.
    #[schema(example = "en", max_length = 10)]
    preferred_language: String,
    /// Movies rated below it are not to be recommended.
    #[schema(example = 7.0, minimum = 0, maximum = 10)]
    min_rating: f64,
    /// Movies that the user has watched or disliked: each once, by id.
    #[schema(example = json!([7, 42]))]
    seen_movie_ids: Vec<i32>,
}

impl From<Profile> for ProfileView {
    fn from(profile: Profile) -> Self {
        let Profile { user_id, preferred_genres, preferred_language, min_rating, seen_movie_ids } = profile;
        Self { user_id, preferred_genres, preferred_language, min_rating, seen_movie_ids }
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

//! `/api/v1/users/{id}/preferences`

use std::sync::Arc;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    path::UserPath,
    request_validation::{body::JsonBody, number},
    responses::{BodyErrors, ServerErrors, UserErrors},
};
use crate::{
    App,
    error::ApiError,
    models::{
        Invalid,
        preferences::{Genres, LanguageCode, NewPreferences, Preferences, Rating},
    },
};

/// All preferences of a user; what is left out (or null) goes back to its default.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetPreferences {
    /// Names of genres; none by default. Case does not matter to recommendations.
    #[schema(
        nullable,
        value_type = Option<Vec<String>>,
        example = json!(["Action", "Science Fiction"]),
        max_items = 100
    )]
    preferred_genres: Option<Vec<Option<String>>>,
    /// `en` by default; an empty text means the default. No NUL.
    #[schema(nullable, example = "en", max_length = 10, pattern = r"^[^\u0000]*$")]
    preferred_language: Option<String>,
    /// Movies rated below it are not recommended; 0 by default.
    #[serde(default, deserialize_with = "number::float")]
    #[schema(nullable, example = 7.0, minimum = 0, maximum = 10)]
    min_rating: Option<f64>,
}

impl TryFrom<SetPreferences> for NewPreferences {
    type Error = Invalid;

    fn try_from(body: SetPreferences) -> Result<Self, Invalid> {
        Ok(Self {
            genres: Genres::new(body.preferred_genres.unwrap_or_default())?,
            language: LanguageCode::new(body.preferred_language.unwrap_or_default())?,
            min_rating: Rating::new(body.min_rating.unwrap_or_default())?,
        })
    }
}

/// The preferences of a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preferences)]
pub struct PreferencesView {
    /// The number of this record; 0 for a user who set none.
    #[schema(example = 1, minimum = 0)]
    id: i64,
    /// Whose they are.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// Names of genres, in the order in which they were sent.
    #[schema(example = json!(["Action", "Science Fiction"]), max_items = 100)]
    preferred_genres: Vec<String>,
    /// `en` unless another was set.
    #[schema(example = "en", max_length = 10)]
    preferred_language: String,
    /// Movies rated below it are not recommended.
    #[schema(example = 7.0, minimum = 0, maximum = 10)]
    min_rating: f64,
    /// RFC 3339, UTC; `0001-01-01T00:00:00Z` for a user who set none.
    #[schema(example = "2026-11-22T18:00:00.123456Z")]
    updated_at: DateTime<Utc>,
}

impl From<Preferences> for PreferencesView {
    fn from(preferences: Preferences) -> Self {
        let Preferences { id, user_id, preferred_genres, preferred_language, min_rating, updated_at, .. } = preferences;
        Self { id, user_id, preferred_genres, preferred_language, min_rating, updated_at }
    }
}

/// Set the preferences of a user
///
/// Replaces all three, whether there were any before or not.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/preferences",
    operation_id = "setPreferences",
    tag = "preferences",
    // Without an example, which Swagger UI would fill in: nobody is to change user 1 by a click.
    params(("id" = i64, Path, description = "The user's id. A sign or zeros may stand before it.", minimum = 1)),
    request_body = SetPreferences,
    responses(
        (status = 200, description = "The preferences as stored", body = PreferencesView),
        UserErrors,
        BodyErrors,
        ServerErrors,
    )
)]
pub async fn set_preferences(
    State(app): State<Arc<App>>,
    path: UserPath,
    JsonBody(body): JsonBody<SetPreferences>,
) -> Result<Json<PreferencesView>, ApiError> {
    Ok(Json(app.preferences.replace(path.id, body.try_into()?).await?.into()))
}

/// Show the preferences of a user
///
/// A user who set none gets the defaults, with `id` 0 and `updated_at` `0001-01-01T00:00:00Z`.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/preferences",
    operation_id = "getPreferences",
    tag = "preferences",
    params(UserPath),
    responses((status = 200, description = "The preferences", body = PreferencesView), UserErrors, ServerErrors)
)]
pub async fn get_preferences(State(app): State<Arc<App>>, path: UserPath) -> Result<Json<PreferencesView>, ApiError> {
    Ok(Json(app.preferences.get(path.id).await?.into()))
}

//! `/api/v1/users/{id}/preferences`

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    extract::{JsonBody, UserPath},
    json::{Fields, InvalidBody, put, put_float},
    responses::{BodyErrors, ServerErrors, UserErrors},
};
use crate::{
    App,
    error::ApiError,
    middleware::json_bytes,
    models::preferences::{NewPreferences, Preferences},
};

/// All preferences of a user; what is left out (or null) goes back to its default.
#[derive(Debug, Default, ToSchema)]
pub struct SetPreferences {
    /// Names of genres; none by default. Case does not matter to recommendations.
    #[schema(
        nullable,
        value_type = Option<Vec<GenreName>>,
        example = json!(["Action", "Science Fiction"]),
        max_items = 100
    )]
    preferred_genres: Option<Vec<Option<String>>>,
    /// `en` by default; an empty text means the default. No NUL.
    #[schema(nullable, example = "en", max_length = 10, pattern = r"^[^\u0000]*$")]
    preferred_language: Option<String>,
    /// Movies rated below it are not recommended; 0 by default.
    #[schema(nullable, example = 7.0, minimum = 0, maximum = 10)]
    min_rating: Option<f64>,
}

/// The name of a genre, without NUL.
#[derive(ToSchema)]
#[schema(value_type = String, max_length = 100, pattern = r"^[^\u0000]*$", example = "Action")]
#[expect(dead_code, reason = "only the specification is made from it")]
pub struct GenreName(String);

impl Fields for SetPreferences {
    fn take(&mut self, name: &str, value: &RawValue) -> Result<(), InvalidBody> {
        match name {
            "preferred_genres" => put(&mut self.preferred_genres, value),
            "preferred_language" => put(&mut self.preferred_language, value),
            "min_rating" => put_float(&mut self.min_rating, value),
            _ => Ok(()),
        }
    }
}

/// Set the preferences of a user
///
/// Replaces all three, whether there were any before or not.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/preferences",
    tag = "preferences",
    params(("id" = i64, Path, description = "The user's id", example = 1)),
    request_body = SetPreferences,
    responses(
        (status = 200, description = "The preferences as stored", body = Preferences),
        UserErrors,
        BodyErrors,
        ServerErrors,
    )
)]
pub async fn set_preferences(
    State(app): State<Arc<App>>,
    UserPath(id): UserPath,
    JsonBody(body): JsonBody<SetPreferences>,
) -> Result<Response, ApiError> {
    let new = NewPreferences::new(body.preferred_genres, body.preferred_language, body.min_rating)?;
    Ok(json_bytes(StatusCode::OK, app.preferences.replace(id, new).await?))
}

/// Show the preferences of a user
///
/// A user who set none gets the defaults, with `id` 0 and `updated_at` `0001-01-01T00:00:00Z`.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/preferences",
    tag = "preferences",
    params(("id" = i64, Path, description = "The user's id", example = 1)),
    responses((status = 200, description = "The preferences", body = Preferences), UserErrors, ServerErrors)
)]
pub async fn get_preferences(State(app): State<Arc<App>>, UserPath(id): UserPath) -> Result<Response, ApiError> {
    Ok(json_bytes(StatusCode::OK, app.preferences.get(id).await?))
}

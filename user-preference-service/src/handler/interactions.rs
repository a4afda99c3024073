//! `/api/v1/users/{id}/interactions`

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    extract::{JsonBody, LimitQuery, UserPath},
    json::{Fields, InvalidBody, put, put_integer},
    responses::{BodyErrors, ServerErrors, UserErrors},
};
use crate::{
    App,
    error::ApiError,
    models::interaction::{Interaction, InteractionType, NewInteraction},
};

/// An interaction to be recorded.
#[derive(Debug, Default, ToSchema)]
pub struct RecordInteraction {
    /// The movie, by movie-service's id; it need not exist.
    #[schema(required, nullable = false, example = 42, minimum = 1, maximum = 2147483647)]
    movie_id: Option<i64>,
    /// What the user did with it.
    #[schema(required, nullable = false, value_type = InteractionType, example = "like")]
    interaction_type: Option<String>,
}

impl Fields for RecordInteraction {
    fn take(&mut self, name: &str, value: &RawValue) -> Result<(), InvalidBody> {
        match name {
            "movie_id" => put_integer(&mut self.movie_id, value),
            "interaction_type" => put(&mut self.interaction_type, value),
            _ => Ok(()),
        }
    }
}

/// The latest interactions of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct InteractionList {
    /// The user.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// Newest first.
    #[schema(max_items = 1000)]
    interactions: Vec<Interaction>,
}

/// Record an interaction
///
/// Each call records one more, also of the same kind with the same movie.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/interactions",
    tag = "interactions",
    params(("id" = i64, Path, description = "The user's id", example = 1)),
    request_body = RecordInteraction,
    responses((status = 201, description = "Recorded", body = Interaction), UserErrors, BodyErrors, ServerErrors)
)]
pub async fn record_interaction(
    State(app): State<Arc<App>>,
    UserPath(id): UserPath,
    JsonBody(body): JsonBody<RecordInteraction>,
) -> Result<(StatusCode, Json<Interaction>), ApiError> {
    let new = NewInteraction::new(body.movie_id, body.interaction_type)?;
    Ok((StatusCode::CREATED, Json(app.interactions.record(id, new).await?)))
}

/// List the latest interactions of a user
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/interactions",
    tag = "interactions",
    params(
        ("id" = i64, Path, description = "The user's id", example = 1),
        (
            "limit" = Option<String>,
            Query,
            description = "How many, 1 to 1000. 0 or less, or anything unreadable, means 50; more than 1000 means 1000.",
            example = "50"
        ),
    ),
    responses(
        (status = 200, description = "The interactions, newest first", body = InteractionList),
        UserErrors,
        ServerErrors,
    )
)]
pub async fn list_interactions(
    State(app): State<Arc<App>>,
    UserPath(id): UserPath,
    LimitQuery(limit): LimitQuery,
) -> Result<Json<InteractionList>, ApiError> {
    let (user, interactions) = app.interactions.newest(id, limit).await?;
    Ok(Json(InteractionList { user_id: user.get(), interactions }))
}

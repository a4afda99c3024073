//! `/api/v1/users`

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    path::UserPath,
    request_validation::body::JsonBody,
    responses::{BodyErrors, ServerErrors, UserConflict, UserErrors},
};
use crate::{
    App,
    error::ApiError,
    models::{
        Invalid,
        user::{Email, NewUser, User, Username},
    },
};

/// A user to be created.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateUser {
    /// Unique; stored as it is sent, but not only of spaces and control characters. No NUL.
    #[schema(
        required,
        nullable = false,
        example = "ada",
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\u0000]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000]*$"
    )]
    username: Option<String>,
    /// Unique; stored as it is sent. It has an `@`, and no NUL.
    #[schema(
        required,
        nullable = false,
        example = "ada@example.com",
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*@[^\u0000]*$"
    )]
    email: Option<String>,
}

impl TryFrom<CreateUser> for NewUser {
    type Error = Invalid;

    /// An empty text counts as left out.
    fn try_from(body: CreateUser) -> Result<Self, Invalid> {
        match (body.username.unwrap_or_default(), body.email.unwrap_or_default()) {
            (username, email) if username.is_empty() || email.is_empty() => Err(Invalid::UsernameAndEmailRequired),
            (username, email) => Ok(Self { username: Username::new(username)?, email: Email::new(email)? }),
        }
    }
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The number that the service gave.
    #[schema(example = 1, minimum = 1)]
    id: i64,
    /// Unique.
    #[schema(example = "ada", max_length = 100)]
    username: String,
    /// Unique.
    #[schema(example = "ada@example.com", max_length = 255)]
    email: String,
    /// RFC 3339, UTC.
    #[schema(example = "2026-11-22T18:00:00.123456Z")]
    created_at: DateTime<Utc>,
}

impl From<User> for UserView {
    fn from(User { id, username, email, created_at }: User) -> Self {
        Self { id, username, email, created_at }
    }
}

/// Create a user
///
/// No two users have the same username or the same email address.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    operation_id = "createUser",
    tag = "users",
    request_body = CreateUser,
    responses((status = 201, description = "Created", body = UserView), UserConflict, BodyErrors, ServerErrors)
)]
pub async fn create_user(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<CreateUser>,
) -> Result<(StatusCode, Json<UserView>), ApiError> {
    let user = app.users.create(body.try_into()?).await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// Show a user
///
/// Username, email address and the time of creation.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    operation_id = "getUser",
    tag = "users",
    params(UserPath),
    responses((status = 200, description = "The user", body = UserView), UserErrors, ServerErrors)
)]
pub async fn get_user(State(app): State<Arc<App>>, path: UserPath) -> Result<Json<UserView>, ApiError> {
    Ok(Json(app.users.get(path.id).await?.into()))
}

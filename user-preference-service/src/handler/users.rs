//! `/api/v1/users`

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    extract::{JsonBody, UserPath},
    json::{Fields, InvalidBody, put},
    responses::{BodyErrors, ServerErrors, UserErrors},
};
use crate::{
    App,
    error::{ApiError, ErrorBody},
    models::user::{NewUser, User},
};

/// A user to be created.
#[derive(Debug, Default, ToSchema)]
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

impl Fields for CreateUser {
    fn take(&mut self, name: &str, value: &RawValue) -> Result<(), InvalidBody> {
        match name {
            "username" => put(&mut self.username, value),
            "email" => put(&mut self.email, value),
            _ => Ok(()),
        }
    }
}

/// Create a user
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "users",
    request_body = CreateUser,
    responses(
        (status = 201, description = "Created", body = User),
        (status = 409, description = "`username already exists` or `email already exists`", body = ErrorBody),
        BodyErrors,
        // After those, to say it without the id that this path does not have.
        (
            status = 400,
            description = "`username and email are required`, `invalid request body`, or a field that cannot be accepted",
            body = ErrorBody
        ),
        ServerErrors,
    )
)]
pub async fn create_user(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<CreateUser>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let user = NewUser::new(body.username, body.email)?;
    Ok((StatusCode::CREATED, Json(app.users.create(user).await?)))
}

/// Show a user
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    tag = "users",
    params(("id" = i64, Path, description = "The user's id", example = 1)),
    responses((status = 200, description = "The user", body = User), UserErrors, ServerErrors)
)]
pub async fn get_user(State(app): State<Arc<App>>, UserPath(id): UserPath) -> Result<Json<User>, ApiError> {
    Ok(Json(app.users.get(id).await?))
}

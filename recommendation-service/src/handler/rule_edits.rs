//! Creating, changing and deleting rules. What was answered is in effect on every replica.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    path::RulePath,
    request_validation::body::JsonBody,
    responses::{BodyErrors, DatabaseErrors, RuleBodyErrors, RulePathErrors},
    rule_bodies::{RuleBody, RulePatchBody},
    rules::RuleView,
};
use crate::{App, error::ApiError, models::rule_edit::NewRule};

/// Create a rule
///
/// The next recommendation is made with it, on every replica.
#[utoipa::path(
    post,
    path = "/api/v1/rules",
    operation_id = "createRule",
    tag = "rules",
    request_body = RuleBody,
    responses(
        (status = 201, description = "The rule", body = RuleView,
            headers(("Location" = String, description = "The rule's path"))),
        RuleBodyErrors,
        BodyErrors,
        DatabaseErrors,
    )
)]
pub async fn create_rule(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<RuleBody>,
) -> Result<Response, ApiError> {
    let rule = app.rule_editor.create(body.try_into()?).await?;
    let location = format!("/api/v1/rules/{}", rule.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(RuleView::from(rule))).into_response())
}

/// Replace a rule
///
/// What may be left out goes back to its default.
#[utoipa::path(
    put,
    path = "/api/v1/rules/{id}",
    operation_id = "replaceRule",
    tag = "rules",
    // Without an example, which Swagger UI would fill in: nobody is to change rule 1 by a click.
    params(("id" = i64, Path, description = "The rule's id. A plus sign or zeros may stand before it.", minimum = 1)),
    request_body = RuleBody,
    responses(
        (status = 200, description = "The rule as it is now", body = RuleView),
        RulePathErrors,
        RuleBodyErrors,
        BodyErrors,
        DatabaseErrors,
    )
)]
pub async fn replace_rule(
    State(app): State<Arc<App>>,
    path: RulePath,
    JsonBody(body): JsonBody<RuleBody>,
) -> Result<Json<RuleView>, ApiError> {
    let rule: NewRule = body.try_into()?;
    Ok(Json(app.rule_editor.update(path.id, rule.into()).await?.into()))
}

/// Change a rule
///
/// Only the fields that are there.
#[utoipa::path(
    patch,
    path = "/api/v1/rules/{id}",
    operation_id = "updateRule",
    tag = "rules",
    params(("id" = i64, Path, description = "The rule's id. A plus sign or zeros may stand before it.", minimum = 1)),
    request_body = RulePatchBody,
    responses(
        (status = 200, description = "The rule as it is now", body = RuleView),
        RulePathErrors,
        RuleBodyErrors,
        BodyErrors,
        DatabaseErrors,
    )
)]
pub async fn update_rule(
    State(app): State<Arc<App>>,
    path: RulePath,
    JsonBody(body): JsonBody<RulePatchBody>,
) -> Result<Json<RuleView>, ApiError> {
    Ok(Json(app.rule_editor.update(path.id, body.try_into()?).await?.into()))
}

/// Delete a rule
///
/// Its history stays. Without a rule of its own, a type that learns counts by its default again.
#[utoipa::path(
    delete,
    path = "/api/v1/rules/{id}",
    operation_id = "deleteRule",
    tag = "rules",
    params(("id" = i64, Path, description = "The rule's id. A plus sign or zeros may stand before it.", minimum = 1)),
    responses((status = 204, description = "Deleted"), RulePathErrors, DatabaseErrors)
)]
pub async fn delete_rule(State(app): State<Arc<App>>, path: RulePath) -> Result<StatusCode, ApiError> {
    app.rule_editor.delete(path.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

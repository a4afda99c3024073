//! `/internal/v1/revisions`, for recommendation-service.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    request_validation::body::JsonBody,
    responses::{BodyErrors, ServerErrors},
};
use crate::{App, error::ApiError, models::revision::UserIds};

/// Users whose revisions are asked for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FindRevisions {
    /// Their ids; those of nobody are ignored.
    #[schema(required, nullable = false, value_type = Vec<i64>, example = json!([1, 2, 3]), max_items = 1000)]
    users: Option<Vec<i64>>,
}

/// Revisions of users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revisions)]
pub struct RevisionsView {
    /// By the id of the user, of those who exist.
    #[schema(
        value_type = BTreeMap<String, String>,
        example = json!({ "1": "7b0e1a52-3a3c-4d0c-9f4e-1d2c3b4a5f60-5" })
    )]
    revisions: BTreeMap<i64, String>,
}

/// Show the revisions of users
///
/// The revision of a user changes whenever their preferences or interactions do, also when another replica or an operator
/// changes them; a change that was acknowledged before the request is in the answer. What it is made of may change: it can
/// only be compared with another one.
#[utoipa::path(
    post,
    path = "/internal/v1/revisions",
    operation_id = "findRevisions",
    tag = "internal",
    request_body = FindRevisions,
    responses((status = 200, description = "The revisions", body = RevisionsView), BodyErrors, ServerErrors)
)]
pub async fn find_revisions(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<FindRevisions>,
) -> Result<Json<RevisionsView>, ApiError> {
    let found = app.revisions.get(&UserIds::new(body.users)?).await?;
    Ok(Json(RevisionsView { revisions: found.into_iter().map(|found| (found.user_id, found.revision)).collect() }))
}

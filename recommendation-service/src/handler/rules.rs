//! The rules of scoring.

use std::sync::Arc;

use axum::{Json, extract::State};

use crate::{
    App,
    error::{ApiError, ErrorBody},
    models::rule::RuleList,
};

/// List the rules
///
/// Those that are active, by type.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    tag = "recommendations",
    responses(
        (status = 200, description = "The active rules", body = RuleList),
        (status = 503, description = "The database does not answer", body = ErrorBody),
        (status = 504, description = "It took too long", body = ErrorBody),
    )
)]
pub async fn list_rules(State(app): State<Arc<App>>) -> Result<Json<RuleList>, ApiError> {
    Ok(Json(app.rules.list().await?))
}

//! The rules of scoring.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{responses::RuleErrors, rfc3339};
use crate::{App, error::ApiError, models::rule::Rule};

/// The rules that count.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleList {
    /// By type, then by id.
    rules: Vec<RuleView>,
}

/// A rule of scoring.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rule)]
pub struct RuleView {
    /// Its id.
    #[schema(example = 1)]
    id: i64,
    /// Its name.
    #[schema(example = "Popularity Score")]
    name: String,
    /// How much it counts.
    #[schema(example = 0.4, minimum = 0, maximum = 1000)]
    weight: f64,
    /// What it looks at: `popularity`, `recency` or `genre_match`; others count nothing.
    #[schema(example = "popularity")]
    rule_type: String,
    /// Whether it counts; always true in the list.
    is_active: bool,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    created_at: String,
}

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        let Rule { id, name, weight, rule_type, is_active, created_at } = rule;
        Self { id, name, weight, rule_type, is_active, created_at: rfc3339(created_at) }
    }
}

/// List the rules
///
/// Those that are active, by type.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    operation_id = "listRules",
    tag = "recommendations",
    responses((status = 200, description = "The active rules", body = RuleList), RuleErrors)
)]
pub async fn list_rules(State(app): State<Arc<App>>) -> Result<Json<RuleList>, ApiError> {
    let rules = app.rules.list().await?;
    Ok(Json(RuleList { rules: rules.into_iter().map(RuleView::from).collect() }))
}

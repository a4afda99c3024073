//! The rules of scoring, and what they were.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    list_query::flag,
    numbers::whole,
    path::RulePath,
    request_validation::query::{self, QueryParameters, ValidQuery},
    responses::{DatabaseErrors, RulePathErrors, RuleQueryErrors},
    rfc3339,
};
use crate::{
    App,
    error::ApiError,
    models::{
        feedback::FeedbackSettings,
        rule::Rule,
        rule_edit::{HistoryPage, RuleChange, Variant},
    },
    repository::rules::RuleFilter,
    service::pipeline::weights::LearnedRule,
};

/// Changes on a page unless the request says otherwise, and at most.
const DEFAULT_CHANGES: i64 = 20;
const MAX_CHANGES: i64 = 100;

/// Rules.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleList {
    /// By variant, then by type, then by id.
    rules: Vec<RuleView>,
    /// The rules that learn from what a user did: what they count for a user who did something, in the variant that was
    /// asked for or else the default one. A rule of the table decides instead of the default.
    learned_rules: Vec<LearnedRuleView>,
    /// How much each kind of feedback says.
    feedback: FeedbackWeightsView,
}

/// A rule that learns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LearnedRule)]
pub struct LearnedRuleView {
    /// What it looks at.
    #[schema(example = "affinity")]
    rule_type: &'static str,
    /// How much it counts; 0 when a rule of the table switches it off.
    #[schema(example = 0.5, minimum = 0)]
    weight: f64,
    /// Whether the weight is the default, since no rule of the table has this type.
    #[schema(example = true)]
    default: bool,
}

/// How much each kind of feedback says, from -1 (never again) to 1 (more of it), and how fast it fades.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedbackWeights)]
pub struct FeedbackWeightsView {
    /// A like.
    #[schema(example = 1.0, minimum = -1, maximum = 1)]
    like: f64,
    /// A dislike.
    #[schema(example = -1.0, minimum = -1, maximum = 1)]
    dislike: f64,
    /// The best rating; the worst says its negative, 5.5 nothing.
    #[schema(example = 1.0, minimum = -1, maximum = 1)]
    rating: f64,
    /// Watching.
    #[schema(example = 0.3, minimum = -1, maximum = 1)]
    watched: f64,
    /// Abandoning.
    #[schema(example = -0.4, minimum = -1, maximum = 1)]
    abandoned: f64,
    /// After so many days it says half as much.
    #[schema(example = 730.0, minimum = 1)]
    half_life_days: f64,
}

impl From<LearnedRule> for LearnedRuleView {
    fn from(LearnedRule { rule_type, weight, is_default }: LearnedRule) -> Self {
        Self { rule_type: rule_type.name(), weight, default: is_default }
    }
}

impl From<FeedbackSettings> for FeedbackWeightsView {
    fn from(settings: FeedbackSettings) -> Self {
        let FeedbackSettings { like, dislike, rating, watched, abandoned, half_life_days } = settings;
        Self { like, dislike, rating, watched, abandoned, half_life_days }
    }
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
    /// What it looks at: `popularity`, `recency`, `genre_match`, `rating`, `language_match`, `affinity` or
    /// `collaborative`; others count nothing.
    #[schema(example = "popularity")]
    rule_type: String,
    /// Whether it counts.
    is_active: bool,
    /// The set of rules that it belongs to; `""` is the default one.
    #[schema(example = "")]
    variant: String,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    created_at: String,
    /// When it was changed last.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    updated_at: String,
}

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        let Rule { id, name, weight, rule_type, is_active, variant, created_at, updated_at } = rule;
        let (created_at, updated_at) = (rfc3339(created_at), rfc3339(updated_at));
        Self { id, name, weight, rule_type, is_active, variant, created_at, updated_at }
    }
}

/// Which rules are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RuleQuery {
    /// Whether those that are not active are listed too, of every variant unless `variant` says which: `true` or `1`,
    /// `false` or `0`.
    #[serde(deserialize_with = "flag")]
    #[param(value_type = bool, required = false, default = false, example = false)]
    all: Option<bool>,
    /// Only this set of rules; by default the default one, whose name is empty.
    #[serde(deserialize_with = "variant")]
    #[param(value_type = String, required = false, max_length = 50, pattern = "^[a-z0-9_-]*$", example = "")]
    variant: Option<Variant>,
}

impl QueryParameters for RuleQuery {
    const ORIGINAL: Option<&'static [&'static str]> = Some(&[]);
}

fn variant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Variant>, D::Error> {
    query::strict(deserializer, Variant::EXPECTED, |text| Variant::new(text.to_owned()).ok())
}

/// Which changes of a rule are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// How many at most.
    #[serde(deserialize_with = "changes")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: Option<i64>,
    /// Only changes before the one with this id: the last of the page before.
    #[serde(deserialize_with = "before")]
    #[param(value_type = i64, required = false, minimum = 1, example = 1000)]
    before: Option<i64>,
}

impl QueryParameters for HistoryQuery {}

fn changes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    query::strict(deserializer, "a whole number from 1 to 100", |text| whole(text, 1, MAX_CHANGES))
}

fn before<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    query::strict(deserializer, "the id of a change", |text| whole(text, 1, i64::MAX))
}

/// What a rule was, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleHistory {
    /// The rule; it may be deleted.
    #[schema(example = 1)]
    rule_id: i64,
    /// Newest first.
    changes: Vec<RuleChangeView>,
}

/// A change of a rule: its state afterwards, or the last one when it was deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleChange)]
pub struct RuleChangeView {
    /// The id of the change.
    #[schema(example = 1)]
    id: i64,
    /// The revision of all rules that it made; it grows with each change.
    #[schema(example = 7)]
    revision: i64,
    /// `created`, `updated` or `deleted`.
    #[schema(example = "updated", pattern = "^(created|updated|deleted)$")]
    action: String,
    /// The rule's name.
    #[schema(example = "Popularity Score")]
    name: String,
    /// How much it counted.
    #[schema(example = 0.4)]
    weight: f64,
    /// What it looked at.
    #[schema(example = "popularity")]
    rule_type: String,
    /// Whether it counted.
    is_active: bool,
    /// The set of rules that it belonged to.
    #[schema(example = "")]
    variant: String,
    /// When it was changed.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    changed_at: String,
}

impl From<RuleChange> for RuleChangeView {
    fn from(change: RuleChange) -> Self {
        let RuleChange { id, revision, action, name, weight, rule_type, is_active, variant, changed_at, .. } = change;
        let changed_at = rfc3339(changed_at);
        Self { id, revision, action, name, weight, rule_type, is_active, variant, changed_at }
    }
}

/// List the rules
///
/// Those of the default variant that are active, by type, and what the rules that learn and feedback count.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    operation_id = "listRules",
    tag = "rules",
    params(RuleQuery),
    responses((status = 200, description = "The rules", body = RuleList), RuleQueryErrors, DatabaseErrors)
)]
pub async fn list_rules(
    State(app): State<Arc<App>>,
    ValidQuery(query): ValidQuery<RuleQuery>,
) -> Result<Json<RuleList>, ApiError> {
    let inactive = query.all.unwrap_or(false);
    let variant = match &query.variant {
        Some(variant) => Some(variant.as_str()),
        None if inactive => None,
        None => Some(""),
    };
    let rules = app.rules.list(RuleFilter { variant, inactive }).await?;
    let learned_rules = app.rules.learned(variant.unwrap_or_default()).await?;
    Ok(Json(RuleList {
        rules: rules.into_iter().map(RuleView::from).collect(),
        learned_rules: learned_rules.into_iter().map(LearnedRuleView::from).collect(),
        feedback: app.rules.feedback().into(),
    }))
}

/// Show a rule
///
/// Active or not.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}",
    operation_id = "getRule",
    tag = "rules",
    params(RulePath),
    responses((status = 200, description = "The rule", body = RuleView), RulePathErrors, DatabaseErrors)
)]
pub async fn get_rule(State(app): State<Arc<App>>, path: RulePath) -> Result<Json<RuleView>, ApiError> {
    Ok(Json(app.rules.find(path.id).await?.into()))
}

/// List the changes of a rule
///
/// Newest first; also those of a rule that is deleted.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}/history",
    operation_id = "listRuleChanges",
    tag = "rules",
    params(RulePath, HistoryQuery),
    responses((status = 200, description = "The changes", body = RuleHistory), RulePathErrors, DatabaseErrors)
)]
pub async fn list_rule_changes(
    State(app): State<Arc<App>>,
    path: RulePath,
    ValidQuery(query): ValidQuery<HistoryQuery>,
) -> Result<Json<RuleHistory>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_CHANGES);
    let page = HistoryPage { rule: path.id, limit, before: query.before.unwrap_or(i64::MAX) };
    let changes = app.rules.history(page).await?;
    Ok(Json(RuleHistory { rule_id: path.id.get(), changes: changes.into_iter().map(RuleChangeView::from).collect() }))
}

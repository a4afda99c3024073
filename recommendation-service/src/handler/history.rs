//! The lists that were made for a user before.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    json,
    numbers::whole,
    path::UserPath,
    request_validation::query::{self, QueryParameters, ValidQuery, invalid_parameter},
    responses::{DatabaseErrors, HistoryErrors},
    rfc3339,
};
use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::recorded_list::{RecordedItem, RecordedList},
    peers::trace_headers::TraceHeaders,
    service::list_history::ComparedLists,
};

/// Lists on a page unless the request says otherwise, and at most.
const DEFAULT_LISTS: i64 = 20;
const MAX_LISTS: i64 = 100;
/// What the id of a list looks like.
const LIST_ID: &str = "the recommendation_id of a list";

/// Which lists of a user are shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListHistoryQuery {
    /// How many at most.
    #[serde(deserialize_with = "limit")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: Option<i64>,
    /// Only lists before the one with this `recommendation_id`: the last of the page before.
    #[serde(deserialize_with = "list_id")]
    #[param(value_type = String, required = false, pattern = "^[0-9a-f]{32}$")]
    before: Option<String>,
}

impl QueryParameters for ListHistoryQuery {}

/// Which two lists are compared.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListDiffQuery {
    /// The `recommendation_id` of the first one.
    #[serde(deserialize_with = "list_id")]
    #[param(value_type = String, required = true, pattern = "^[0-9a-f]{32}$")]
    from: Option<String>,
    /// The `recommendation_id` of the second one.
    #[serde(deserialize_with = "list_id")]
    #[param(value_type = String, required = true, pattern = "^[0-9a-f]{32}$")]
    to: Option<String>,
}

impl QueryParameters for ListDiffQuery {}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    query::strict(deserializer, "a whole number from 1 to 100", |text| whole(text, 1, MAX_LISTS))
}

fn list_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    query::strict(deserializer, LIST_ID, |text| RecordedList::is_id(text).then(|| text.to_owned()))
}

/// Lists that were made for a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListHistory {
    /// For whom.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// Newest first.
    lists: Vec<RecordedListView>,
}

/// A list as it was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordedList)]
pub struct RecordedListView {
    /// Its name in events.
    #[schema(example = "5f2c0d1e9a7b4c3d8e6f0a1b2c3d4e5f")]
    recommendation_id: String,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    generated_at: String,
    /// What it was made from.
    #[schema(example = "personalised")]
    strategy: String,
    /// The experiment that ran, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "more-affinity")]
    experiment: Option<String>,
    /// The set of rules by which it was made, if an experiment ran; `""` is the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "b")]
    variant: Option<String>,
    /// The version of the collaborative model, `""` without one.
    #[schema(example = "")]
    model_version: String,
    /// Whether it was a general one, since the user's profile could not be read.
    #[schema(example = false)]
    degraded: bool,
    /// The rules that counted.
    rules: Vec<RuleWeightView>,
    /// The movies, best first.
    items: Vec<RecordedItemView>,
}

/// What a rule counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleWeight)]
pub struct RuleWeightView {
    /// The rule.
    #[schema(example = "popularity")]
    rule_type: String,
    /// Its weight.
    #[schema(example = 0.4, minimum = 0)]
    weight: f64,
}

/// A movie of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordedItem)]
pub struct RecordedItemView {
    /// Its id.
    #[schema(example = 1)]
    movie_id: i32,
    /// Its place in the whole list, from 1.
    #[schema(example = 1, minimum = 1)]
    place: i32,
    /// Its score.
    #[schema(example = 0.7312)]
    score: f64,
    /// Each rule's part of the score; they sum to it.
    #[schema(example = json!({ "popularity": 0.4, "recency": 0.3312 }))]
    contributions: BTreeMap<String, f64>,
}

impl From<RecordedList> for RecordedListView {
    fn from(list: RecordedList) -> Self {
        let items = list.places().map(|(place, item)| RecordedItemView::new(&list.rules, place, item)).collect();
        let rule = |(rule_type, weight)| RuleWeightView { rule_type, weight };
        let (experiment, variant) = list.arm.map(|arm| (arm.experiment, arm.variant)).unzip();
        Self {
            recommendation_id: list.id,
            generated_at: rfc3339(list.generated_at),
            strategy: list.strategy,
            experiment,
            variant,
            model_version: list.model_version,
            degraded: list.degraded,
            rules: list.rules.into_iter().map(rule).collect(),
            items,
        }
    }
}

impl RecordedItemView {
    fn new(rules: &[(String, f64)], place: i32, item: &RecordedItem) -> Self {
        let rules = rules.iter().map(|(rule_type, _)| rule_type.clone());
        let contributions = rules.zip(item.contributions.iter().copied()).collect();
        Self { movie_id: item.movie_id, place, score: item.score, contributions }
    }
}

/// What changed from one list of a user to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListDiff {
    /// For whom.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// The first list.
    from: RecordedListView,
    /// The second one.
    to: RecordedListView,
    /// Movies of the second list only, with their places there.
    entered: Vec<PlacedMovie>,
    /// Movies of the first list only, with their places there.
    left: Vec<PlacedMovie>,
    /// Movies of both that have another place.
    moved: Vec<MovedMovie>,
    /// How many movies have the same place.
    #[schema(example = 7, minimum = 0)]
    unchanged: usize,
}

/// A movie of one of two lists.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacedMovie {
    /// Its id.
    #[schema(example = 1)]
    movie_id: i32,
    /// Its place, from 1.
    #[schema(example = 3, minimum = 1)]
    place: i32,
}

/// A movie of both lists.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovedMovie {
    /// Its id.
    #[schema(example = 1)]
    movie_id: i32,
    /// Its place in the first list, from 1.
    #[schema(example = 5, minimum = 1)]
    from_place: i32,
    /// Its place in the second list, from 1.
    #[schema(example = 2, minimum = 1)]
    to_place: i32,
}

/// List past recommendations
///
/// Newest first, each with the rules, weights and the model that it was made by. A list that was sent from the cache again is
/// here once. Lists are kept for `RECOMMENDATION_HISTORY_DAYS` days.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/recommendations/history",
    operation_id = "listRecommendationHistory",
    tag = "recommendations",
    params(UserPath, ListHistoryQuery),
    responses((status = 200, description = "The lists", body = ListHistory), HistoryErrors, DatabaseErrors)
)]
pub async fn list_recommendation_history(
    State(app): State<Arc<App>>,
    path: UserPath,
    ValidQuery(query): ValidQuery<ListHistoryQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (limit, trace) = (query.limit.unwrap_or(DEFAULT_LISTS), TraceHeaders::from_headers(&headers));
    let lists = app.list_history.page(path.id, limit, query.before.as_deref(), &trace).await?;
    let lists = lists.into_iter().map(RecordedListView::from).collect();
    Ok(json(StatusCode::OK, &ListHistory { user_id: path.id.get(), lists }))
}

/// Compare two past recommendations
///
/// Which movies entered, left, or have another place.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/recommendations/history/diff",
    operation_id = "compareRecommendations",
    tag = "recommendations",
    params(UserPath, ListDiffQuery),
    responses((status = 200, description = "What changed", body = ListDiff), HistoryErrors, DatabaseErrors)
)]
pub async fn compare_recommendations(
    State(app): State<Arc<App>>,
    path: UserPath,
    ValidQuery(query): ValidQuery<ListDiffQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let missing = |name| invalid_parameter(name, ErrorCode::InvalidParameter, LIST_ID);
    let from = query.from.ok_or_else(|| missing("from"))?;
    let to = query.to.ok_or_else(|| missing("to"))?;
    let trace = TraceHeaders::from_headers(&headers);
    let ComparedLists { before, after, difference } = app.list_history.compare(path.id, &from, &to, &trace).await?;
    let placed = |(movie_id, place)| PlacedMovie { movie_id, place };
    let moved = |(movie_id, from_place, to_place)| MovedMovie { movie_id, from_place, to_place };
    let body = ListDiff {
        user_id: path.id.get(),
        from: before.into(),
        to: after.into(),
        entered: difference.entered.into_iter().map(placed).collect(),
        left: difference.left.into_iter().map(placed).collect(),
        moved: difference.moved.into_iter().map(moved).collect(),
        unchanged: difference.unchanged,
    };
    Ok(json(StatusCode::OK, &body))
}

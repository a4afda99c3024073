//! Whether recommendations help.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    json,
    numbers::whole,
    request_validation::query::{self, QueryParameters, ValidQuery},
    responses::{DatabaseErrors, ReportErrors},
    rfc3339,
};
use crate::{
    App,
    error::ApiError,
    models::list_event::{ReportGroup, ReportLine},
    service::list_events::MAX_REPORT_DAYS,
};

const DEFAULT_DAYS: u16 = 7;

/// Which lists a report is about.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// Lists of so many days.
    #[serde(deserialize_with = "days")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 365, default = 7, example = 7)]
    days: Option<u16>,
}

impl QueryParameters for ReportQuery {}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    query::strict(deserializer, "a whole number from 1 to 365", |text| whole(text, 1, MAX_REPORT_DAYS))
}

/// What people did with recommended movies.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    /// Lists of so many days.
    #[schema(example = 7, minimum = 1, maximum = 365)]
    days: u16,
    /// Lists that were made since then.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    since: String,
    /// All movies with events.
    total: ReportCounts,
    /// By the rule with the largest contribution to the movie's score; `none` where no rule speaks for it.
    by_rule: Vec<RuleReport>,
    /// By the list's strategy; those of groups begin with `group_`.
    by_strategy: Vec<StrategyReport>,
    /// By the movie's place in the list.
    by_place: Vec<PlaceReport>,
    /// By the experiment and the set of rules; lists that were made without an experiment come first.
    by_variant: Vec<VariantReport>,
}

/// What a group of movies came to.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ReportCounts {
    /// How many were shown.
    #[schema(example = 200, minimum = 0)]
    impressions: i64,
    /// How many were opened.
    #[schema(example = 30, minimum = 0)]
    clicks: i64,
    /// How many were started.
    #[schema(example = 12, minimum = 0)]
    plays: i64,
    /// The share of those shown that was opened, to four decimals; null when none was shown.
    #[schema(required, example = 0.15, minimum = 0, maximum = 1)]
    click_through: Option<f64>,
    /// The share of those shown that was started, to four decimals; null when none was shown.
    #[schema(required, example = 0.06, minimum = 0, maximum = 1)]
    conversion: Option<f64>,
}

/// Of a rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleReport {
    /// The rule.
    #[schema(example = "affinity")]
    rule: String,
    #[serde(flatten)]
    counts: ReportCounts,
}

/// Of a strategy.
#[derive(Debug, Serialize, ToSchema)]
pub struct StrategyReport {
    /// The strategy.
    #[schema(example = "personalised")]
    strategy: String,
    #[serde(flatten)]
    counts: ReportCounts,
}

/// Of a place.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceReport {
    /// The place, from 1.
    #[schema(example = 1, minimum = 1)]
    place: i32,
    #[serde(flatten)]
    counts: ReportCounts,
}

/// Of a variant.
#[derive(Debug, Serialize, ToSchema)]
pub struct VariantReport {
    /// The experiment; null for lists that were made without one.
    #[schema(required, example = "more-affinity")]
    experiment: Option<String>,
    /// The set of rules, `""` for the default one; null for lists that were made without an experiment.
    #[schema(required, example = "b")]
    variant: Option<String>,
    #[serde(flatten)]
    counts: ReportCounts,
}

impl From<&ReportLine> for ReportCounts {
    fn from(line: &ReportLine) -> Self {
        Self {
            impressions: line.impressions,
            clicks: line.clicks,
            plays: line.plays,
            click_through: line.click_through(),
            conversion: line.conversion(),
        }
    }
}

impl Report {
    fn new(days: u16, since: String, lines: Vec<ReportLine>) -> Self {
        let (by_rule, by_strategy, by_place, by_variant) = Default::default();
        let mut report =
            Self { days, since, total: ReportCounts::default(), by_rule, by_strategy, by_place, by_variant };
        for line in lines {
            let counts = ReportCounts::from(&line);
            match line.group {
                ReportGroup::Total => report.total = counts,
                ReportGroup::Rule(rule) => report.by_rule.push(RuleReport { rule, counts }),
                ReportGroup::Strategy(strategy) => report.by_strategy.push(StrategyReport { strategy, counts }),
                ReportGroup::Place(place) => report.by_place.push(PlaceReport { place, counts }),
                ReportGroup::Variant(arm) => {
                    let (experiment, variant) = arm.map(|arm| (arm.experiment, arm.variant)).unzip();
                    report.by_variant.push(VariantReport { experiment, variant, counts });
                }
            }
        }
        report
    }
}

/// Report whether recommendations help
///
/// How many recommended movies were shown, opened and started, by what they were recommended for. A movie of a list counts
/// once for each type of event.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/report",
    operation_id = "getRecommendationReport",
    tag = "recommendations",
    params(ReportQuery),
    responses((status = 200, description = "The report", body = Report), ReportErrors, DatabaseErrors)
)]
pub async fn get_recommendation_report(
    State(app): State<Arc<App>>,
    ValidQuery(query): ValidQuery<ReportQuery>,
) -> Result<Response, ApiError> {
    let days = query.days.unwrap_or(DEFAULT_DAYS);
    let report = app.list_events.report(days).await?;
    Ok(json(StatusCode::OK, &Report::new(days, rfc3339(report.since), report.lines)))
}

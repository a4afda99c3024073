//! HTTP: routes, what they take and what they answer. A handler extracts, calls one service method and maps.

mod also_liked;
mod anonymous;
mod catalogue_age;
mod docs;
mod error_mapping;
mod events;
mod experiments;
mod explanation;
mod filter_query;
mod group;
mod health;
mod history;
mod list_info;
mod list_query;
mod models;
mod movie_view;
mod numbers;
mod path;
mod readiness;
mod recommendations;
mod report;
mod responses;
mod rule_bodies;
mod rule_edits;
mod rules;

pub mod request_validation;

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, response::Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    error::ErrorBody,
    middleware::{body_limit, json_bytes, time_limit},
};

/// The specification without its paths; those come from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "recommendation-service",
        description = "Which movies a user may like, and why.",
        contact(name = "The maintainers")
    ),
    servers((url = "/", description = "This service")),
    // No token of its own: the gateway asks for one.
    security(()),
    components(schemas(ErrorBody), responses(
        responses::BodyTimeout,
        responses::BodyTooLarge,
        responses::CatalogueUnavailable,
        responses::InvalidGroupRequest,
        responses::InvalidMovieRequest,
        responses::InvalidRecommendationRequest,
        responses::InvalidVisitor,
        responses::InvalidHistoryRequest,
        responses::InvalidEvents,
        responses::InvalidExperimentBody,
        responses::InvalidReportRequest,
        responses::ListNotFound,
        responses::MovieNotFound,
        responses::InvalidRuleBody,
        responses::InvalidRuleRequest,
        responses::RuleConflict,
        responses::RuleNotFound,
        responses::TrainingNotFound,
        responses::UnsupportedEncoding,
        responses::UserNotFound,
        responses::RecommendationsUnavailable,
        responses::DatabaseUnavailable,
        responses::Timeout,
    )),
    tags(
        (name = "recommendations", description = "Movies for a user"),
        (name = "rules", description = "What movies are chosen by"),
        (name = "operations", description = "Health and readiness"),
    )
)]
struct ApiDoc;

fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(recommendations::get_recommendations))
        .routes(routes!(anonymous::recommend_to_visitor))
        .routes(routes!(group::get_group_recommendations))
        .routes(routes!(also_liked::list_also_liked))
        .routes(routes!(history::list_recommendation_history))
        .routes(routes!(history::compare_recommendations))
        .routes(routes!(events::record_recommendation_events))
        .routes(routes!(report::get_recommendation_report))
        .routes(routes!(rules::list_rules, rule_edits::create_rule))
        .routes(routes!(rules::get_rule, rule_edits::replace_rule, rule_edits::update_rule, rule_edits::delete_rule))
        .routes(routes!(rules::list_rule_changes))
        .routes(routes!(models::list_models))
        .routes(routes!(models::train_model))
        .routes(routes!(models::get_training))
        .routes(routes!(experiments::get_experiment, experiments::set_experiment))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(health::ready_report))
}

/// All routes with their state; each is answered within `time_limit`.
pub fn routes(app: App, request_timeout: Duration) -> Router {
    let (router, openapi) = api().split_for_parts();
    let router = router.with_state(Arc::new(app)).layer(body_limit()).layer(time_limit(request_timeout));
    router.merge(docs::routes(&openapi))
}

/// The specification as YAML, as served at `/swagger/doc.yaml`.
pub fn openapi_yaml() -> String {
    docs::to_yaml(api().get_openapi())
}

/// A time as RFC 3339 in UTC, with `Z`.
fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A body of texts and finite numbers as JSON.
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    json_bytes(status, serde_json::to_vec(body).expect("texts and finite numbers always serialise").into())
}

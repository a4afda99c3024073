//! Liveness and readiness.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{dependencies::Dependencies, readiness::ReadinessReport};

const SERVICE: &str = env!("CARGO_PKG_NAME");

/// The gateway is alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The name of the service.
    #[schema(example = "api-gateway")]
    service: &'static str,
}

/// Whether the gateway can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Always `ready`: without Redis requests pass uncounted.
    #[schema(example = "ready")]
    status: &'static str,
    /// The name of the service.
    #[schema(example = "api-gateway")]
    service: &'static str,
    /// `ok` or `unavailable` for each thing it works with.
    checks: BTreeMap<&'static str, &'static str>,
}

/// Alive
///
/// Answers as long as the process does. Never limited, needs no token.
#[utoipa::path(get, path = "/health", operation_id = "getHealth", tag = "operations", responses((status = 200, description = "The gateway is alive", body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok", service: SERVICE })
}

/// Alive
///
/// The same as `/health`.
#[utoipa::path(get, path = "/api/v1/health", operation_id = "getHealthV1", tag = "operations", responses((status = 200, description = "The gateway is alive", body = Health)))]
pub async fn health_v1() -> Json<Health> {
    health().await
}

/// Ready to work
///
/// Ready as soon as it listens; without Redis requests pass uncounted. Never limited, needs no token.
#[utoipa::path(get, path = "/ready", operation_id = "getReadiness", tag = "operations", responses((status = 200, description = "The gateway accepts requests", body = Readiness)))]
pub async fn ready(State(dependencies): State<Dependencies>) -> Json<Readiness> {
    let redis = if dependencies.redis().ping().await { "ok" } else { "unavailable" };
    Json(Readiness { status: "ready", service: SERVICE, checks: BTreeMap::from([("redis", redis)]) })
}

/// Ready to work
///
/// The same as `/ready`.
#[utoipa::path(get, path = "/api/v1/ready", operation_id = "getReadinessV1", tag = "operations", responses((status = 200, description = "The gateway accepts requests", body = Readiness)))]
pub async fn ready_v1(dependencies: State<Dependencies>) -> Json<Readiness> {
    ready(dependencies).await
}

/// Alive
///
/// The same as `/health`, where orchestrators look for it.
#[utoipa::path(get, path = "/health/live", operation_id = "getLiveness", tag = "operations", responses((status = 200, description = "The gateway is alive", body = Health)))]
pub async fn live() -> Json<Health> {
    health().await
}

/// Ready to work, with latencies
///
/// Redis and each service with its latency, not older than a second. 503 from the moment a shutdown is asked for, and only then:
/// the gateway works without any of them. Never limited, needs no token.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "getReadinessReport",
    tag = "operations",
    responses(
        (status = 200, description = "The gateway accepts requests", body = ReadinessReport),
        (status = 503, description = "The gateway is stopping", body = ReadinessReport),
    )
)]
pub async fn ready_report(State(dependencies): State<Dependencies>) -> ReadinessReport {
    dependencies.report().await
}

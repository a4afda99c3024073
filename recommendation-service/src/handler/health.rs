//! Is the service alive, and can it work?

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

use super::readiness::{DependencyCheck, ReadinessReport};

const SERVICE: &str = env!("CARGO_PKG_NAME");

/// The service is alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The name of the service.
    #[schema(example = "recommendation-service")]
    service: &'static str,
}

/// Whether the service can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready` or `unavailable`.
    #[schema(example = "ready")]
    status: &'static str,
    /// The name of the service.
    #[schema(example = "recommendation-service")]
    service: &'static str,
    /// `ok` or `unavailable` for each thing it works with.
    checks: BTreeMap<&'static str, &'static str>,
}

/// Alive
///
/// Answers as long as the process does; looks at nothing else.
#[utoipa::path(
    get,
    path = "/api/v1/health",
    operation_id = "getHealth",
    tag = "operations",
    responses((status = 200, description = "Alive", body = Health))
)]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok", service: SERVICE })
}

/// Ready to work
///
/// PostgreSQL and Redis must answer, and the first copy of the catalogue must be there.
#[utoipa::path(
    get,
    path = "/api/v1/ready",
    operation_id = "getReadiness",
    tag = "operations",
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Something is missing", body = Readiness)
    )
)]
pub async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Readiness>) {
    let (postgres, redis) = tokio::join!(app.database.ping(), app.redis.ping());
    let parts = [("postgres", postgres), ("redis", redis), ("catalogue", app.catalogue.is_loaded())];
    let checks = parts.map(|(name, works)| (name, if works { "ok" } else { "unavailable" })).into();
    let (status, text) = if parts.iter().all(|(_, works)| *works) {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    (status, Json(Readiness { status: text, service: SERVICE, checks }))
}

/// Alive
///
/// The same as `/api/v1/health`, where orchestrators look for it.
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "getLiveness",
    tag = "operations",
    responses((status = 200, description = "Alive", body = Health))
)]
pub async fn live() -> Json<Health> {
    health().await
}

/// Ready to work, with latencies
///
/// PostgreSQL and Redis must answer, and the first copy of the catalogue must be there. 503 from the moment a shutdown is asked for.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "getReadinessReport",
    tag = "operations",
    responses(
        (status = 200, description = "Ready", body = ReadinessReport),
        (status = 503, description = "Something is missing, or the service is stopping", body = ReadinessReport),
    )
)]
pub async fn ready_report(State(app): State<Arc<App>>) -> ReadinessReport {
    let (postgres, redis) =
        tokio::join!(DependencyCheck::run(app.database.ping()), DependencyCheck::run(app.redis.ping()));
    let checks = BTreeMap::from([
        ("postgres", postgres),
        ("redis", redis),
        ("catalogue", DependencyCheck::run(async { app.catalogue.is_loaded() }).await),
    ]);
    ReadinessReport::new(checks, &["postgres", "redis", "catalogue"], &app.lifecycle)
}

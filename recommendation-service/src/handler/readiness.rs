//! Identical in every service (a test compares the copies).
//!
//! What `/health/ready` answers: whether requests should be sent here, and each dependency with its latency.

use std::{collections::BTreeMap, time::Instant};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::lifecycle::Lifecycle;

/// A dependency, as it was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DependencyCheck {
    /// `ok` or `unavailable`.
    #[schema(example = "ok")]
    status: &'static str,
    /// How long it took to answer, or to be given up, in milliseconds.
    #[schema(example = 0.42)]
    latency_ms: f64,
}

impl DependencyCheck {
    /// Runs `probe`, which says whether the dependency answers, and takes the time.
    pub async fn run(probe: impl Future<Output = bool>) -> Self {
        let started = Instant::now();
        let status = if probe.await { "ok" } else { "unavailable" };
        Self { status, latency_ms: started.elapsed().as_micros() as f64 / 1000.0 }
    }

    fn is_ok(&self) -> bool {
        self.status == "ok"
    }
}

/// Whether requests should be sent here.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadinessReport {
    /// `ready`; `unavailable` without something that is needed; `stopping` from the moment a shutdown is asked for.
    #[schema(example = "ready")]
    status: &'static str,
    /// The name of the service.
    service: &'static str,
    /// Each dependency by its name.
    checks: BTreeMap<&'static str, DependencyCheck>,
}

impl ReadinessReport {
    /// Judges `checks`: all that are named in `needed` must be well.
    pub fn new(checks: BTreeMap<&'static str, DependencyCheck>, needed: &[&str], lifecycle: &Lifecycle) -> Self {
        let is_missing = |name: &&str| !checks.get(*name).is_some_and(DependencyCheck::is_ok);
        let status = if lifecycle.stop_token().is_cancelled() {
            "stopping"
        } else if needed.iter().any(is_missing) {
            "unavailable"
        } else {
            "ready"
        };
        Self { status, service: env!("CARGO_PKG_NAME"), checks }
    }
}

impl IntoResponse for ReadinessReport {
    fn into_response(self) -> Response {
        let status = if self.status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(self)).into_response()
    }
}

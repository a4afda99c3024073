//! `GET /api/v1/status`: how the whole platform is, for its web page.

mod numbers;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{Request, uri::Authority},
};
use prometheus_client::encoding::text::encode;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use self::numbers::Numbers;
use super::dependencies::Dependencies;
use crate::{metrics::metrics, proxy::Upstream};

/// Longest wait for a service, which waits for what it works with.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Larger than any report, and than the metrics of any service.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// The platform at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformStatus {
    /// The gateway, then the services behind it.
    services: Vec<ServiceStatus>,
    /// What they count.
    numbers: Numbers,
}

/// A service at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceStatus {
    /// The name of the service.
    #[schema(example = "movie-service")]
    service: &'static str,
    /// `ready`; `unavailable` without something that it needs; `stopping`; `unreachable` when it gave no report.
    #[schema(example = "ready")]
    status: String,
    /// How long its report took, in milliseconds.
    #[schema(example = 1.3)]
    latency_ms: f64,
    /// What it works with, as it found it.
    checks: BTreeMap<String, Check>,
}

/// Something that a service works with.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = StatusCheck)]
pub struct Check {
    /// `ok` or `unavailable`.
    #[schema(example = "ok")]
    status: String,
    /// How long it took to answer, or to be given up, in milliseconds.
    #[schema(example = 0.42)]
    latency_ms: f64,
}

/// What a service's `/health/ready` says.
#[derive(Debug, Deserialize)]
struct Report {
    status: String,
    checks: BTreeMap<String, Check>,
}

/// Show the status of the platform
///
/// Every service with what it works with, each with its latency, and what the services count in their metrics. The gateway asks all
/// of them at once, for at most two seconds.
#[utoipa::path(
    get,
    path = "/api/v1/status",
    operation_id = "getStatus",
    tag = "operations",
    responses((status = 200, description = "How the services are", body = PlatformStatus))
)]
pub async fn status(State(dependencies): State<Dependencies>) -> Json<PlatformStatus> {
    let upstreams = dependencies.upstreams();
    let (gateway, movie, user_preference, recommendation, numbers) = tokio::join!(
        own(&dependencies),
        ask(&dependencies, Upstream::Movie, &upstreams.movie),
        ask(&dependencies, Upstream::UserPreference, &upstreams.user_preference),
        ask(&dependencies, Upstream::Recommendation, &upstreams.recommendation),
        numbers(&dependencies),
    );
    Json(PlatformStatus { services: vec![gateway, movie, user_preference, recommendation], numbers })
}

async fn own(dependencies: &Dependencies) -> ServiceStatus {
    let started = Instant::now();
    let report = serde_json::to_vec(&dependencies.report().await).unwrap_or_default();
    ServiceStatus::new(env!("CARGO_PKG_NAME"), started, serde_json::from_slice(&report).ok())
}

/// 200 and 503 both bring a report.
async fn ask(dependencies: &Dependencies, upstream: Upstream, addresses: &[Authority]) -> ServiceStatus {
    let started = Instant::now();
    let report = fetch(dependencies, addresses, "/health/ready").await;
    ServiceStatus::new(upstream.name(), started, report.and_then(|report| serde_json::from_slice(&report).ok()))
}

/// The gateway's own metrics, and those that the services show.
async fn numbers(dependencies: &Dependencies) -> Numbers {
    let [movie, user_preference, recommendation] = &dependencies.upstreams().metrics;
    let services = tokio::join!(
        metrics_of(dependencies, movie),
        metrics_of(dependencies, user_preference),
        metrics_of(dependencies, recommendation),
    );
    let mut own = String::new();
    if metrics().with_registry(|registry| encode(&mut own, registry)).is_err() {
        own.clear();
    }
    Numbers::from_metrics(&own, &<[String; 3]>::from(services))
}

/// Empty when they are switched off, or out of reach.
async fn metrics_of(dependencies: &Dependencies, addresses: &[Authority]) -> String {
    let text = fetch(dependencies, addresses, "/metrics").await;
    text.and_then(|text| String::from_utf8(text.into()).ok()).unwrap_or_default()
}

/// What the first of several addresses that answers says.
async fn fetch(dependencies: &Dependencies, addresses: &[Authority], path: &str) -> Option<Bytes> {
    let answer = async {
        for address in addresses {
            let request = Request::get(format!("http://{address}{path}")).body(Body::empty()).ok()?;
            if let Ok(response) = dependencies.client().request(request).await {
                return to_bytes(Body::new(response.into_body()), MAX_ANSWER_BYTES).await.ok();
            }
        }
        None
    };
    timeout(ANSWER_TIMEOUT, answer).await.ok().flatten()
}

impl ServiceStatus {
    fn new(service: &'static str, started: Instant, report: Option<Report>) -> Self {
        let latency_ms = started.elapsed().as_micros() as f64 / 1000.0;
        let Report { status, checks } =
            report.unwrap_or_else(|| Report { status: "unreachable".to_owned(), checks: BTreeMap::new() });
        Self { service, status, latency_ms, checks }
    }
}

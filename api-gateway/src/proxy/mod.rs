//! Forwarding: the request to the service and its response back, both streamed.

pub mod body;
mod breaker;
mod connection;
mod endpoint;
mod error;
pub mod headers;
mod health_check;
mod pool;
mod reserved_headers;
mod response_body;
mod retry_budget;
mod service;
mod service_client;
mod stale_cache;

pub use self::error::Unanswered;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode, Version, uri::PathAndQuery},
};
use tokio::time::{error::Elapsed, interval, timeout};

use crate::{
    config::UpstreamsConfig, lifecycle::Lifecycle, metrics::metrics, phases::request_id::X_REQUEST_ID,
    routing::priority,
};

use self::{
    body::{BodyState, RequestBody, RequestBodyError},
    error::{Failure, UpstreamError},
    health_check::check_regularly,
    response_body::ResponseBody,
    service::Service,
    service_client::{Exchange, ServiceClient},
    stale_cache::StaleCache,
};

/// How often idle connections are looked at.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A service behind the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// The catalogue.
    Movie,
    /// Users.
    UserPreference,
    /// Recommendations.
    Recommendation,
}

impl Upstream {
    /// The name in responses and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Movie => "movie-service",
            Self::UserPreference => "user-preference-service",
            Self::Recommendation => "recommendation-service",
        }
    }
}

/// What all workers share of the services.
#[derive(Clone)]
pub struct Services {
    /// In the order of [`Upstream`].
    services: [Arc<Service>; 3],
    /// `None` when it is switched off.
    stale: Option<Arc<StaleCache>>,
}

impl Services {
    /// The services at their addresses. Checks the health of those with several until `lifecycle` stops.
    pub fn new(config: &UpstreamsConfig, lifecycle: &Lifecycle) -> Self {
        let services = [
            (Upstream::Movie, &config.movie),
            (Upstream::UserPreference, &config.user_preference),
            (Upstream::Recommendation, &config.recommendation),
        ]
        .map(|(upstream, addresses)| Arc::new(Service::new(upstream.name(), addresses, config)));
        show_ejected_addresses(services.clone());
        let is_checked = |service: &&Arc<Service>| service.endpoints().len() > 1 && !config.health_interval.is_zero();
        for service in services.iter().filter(is_checked) {
            let (checks, stop) = (check_regularly(service.clone(), config.health_interval), lifecycle.stop_token());
            lifecycle.spawn(async move {
                stop.run_until_cancelled(checks).await;
            });
        }
        let stale = (config.stale_cache_bytes > 0).then(|| Arc::new(StaleCache::new(config.stale_cache_bytes)));
        Self { services, stale }
    }
}

/// As the gauge `http_client_ejected_addresses`.
fn show_ejected_addresses(services: [Arc<Service>; 3]) {
    const LABELS: [&[(&str, &str)]; 3] = [
        &[("server_address", Upstream::Movie.name())],
        &[("server_address", Upstream::UserPreference.name())],
        &[("server_address", Upstream::Recommendation.name())],
    ];
    let ejected = |service: &Service| service.endpoints().iter().filter(|endpoint| !endpoint.is_usable()).count();
    let text = "Addresses of a service that are left out, because they fail";
    metrics().compute_gauge("http_client_ejected_addresses", text, move || {
        services.iter().zip(LABELS).map(|(service, labels)| (labels, ejected(service) as f64)).collect()
    });
}

/// The clients of the services. One for each worker.
#[derive(Clone)]
pub struct Proxy {
    /// In the order of [`Upstream`].
    services: Arc<[ServiceClient; 3]>,
    stale: Option<Arc<StaleCache>>,
    timeout: Duration,
    max_body_bytes: usize,
    lifecycle: Lifecycle,
}

impl Proxy {
    /// A proxy without connections yet. Closes idle ones until `lifecycle` stops.
    pub fn new(services: Services, config: &UpstreamsConfig, lifecycle: &Lifecycle) -> Self {
        let Services { services, stale } = services;
        let services = Arc::new(services.map(|service| ServiceClient::new(service, config.connect_timeout)));
        let (swept, stop) = (services.clone(), lifecycle.stop_token());
        lifecycle.spawn(async move {
            let mut ticks = interval(SWEEP_INTERVAL);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                swept.iter().for_each(ServiceClient::sweep);
            }
        });
        let (timeout, max_body_bytes, lifecycle) = (config.timeout, config.max_body_bytes, lifecycle.clone());
        Self { services, stale, timeout, max_body_bytes, lifecycle }
    }

    /// Sends a request with final headers to `target`, and returns the service's response: 400, 408 and 413 for the client's
    /// body; 502, 503 and 504 for the service, or an earlier response where that will do. No text names an address.
    pub async fn forward(&self, upstream: Upstream, target: PathAndQuery, request: Request<Body>) -> Response<Body> {
        let stale = self.stale.as_ref().filter(|_| upstream == Upstream::Movie);
        let stale = stale.and_then(|stale| Some((stale, StaleCache::key(&request, &target)?)));
        let (method, request_id) = (request.method().clone(), request.headers().get(X_REQUEST_ID).cloned());
        match (self.send(upstream, target, request).await, stale) {
            (Ok(response), Some((stale, key))) => stale.record(key, response),
            (Ok(response), None) => response.map(Body::new),
            (Err(failure), stale) => {
                let stale = stale.filter(|_| failure.is_of_the_service()).and_then(|(stale, key)| stale.get(&key));
                let (kind, response) = (failure.kind(), failure.into_response(upstream, &method, request_id));
                let mut response = stale.unwrap_or(response);
                response.extensions_mut().insert(kind);
                response
            }
        }
    }

    async fn send(
        &self,
        upstream: Upstream,
        target: PathAndQuery,
        mut request: Request<Body>,
    ) -> Result<Response<ResponseBody>, Failure> {
        let client = &self.services[upstream as usize];
        let (permit, mut load) = client.service.admit(priority(target.path())).map_err(Failure::Refused)?;
        *request.uri_mut() = target.into();
        *request.version_mut() = Version::HTTP_11;
        let (mut request, body_state) = RequestBody::wrap(request, self.max_body_bytes)?;
        if body_state.is_some() {
            headers::frame_body(request.headers_mut());
        }
        let result = timeout(self.timeout, client.send(request, &mut load)).await;
        let exchange = match outcome(result, body_state.as_deref())? {
            Ok(exchange) => exchange,
            Err(error) => {
                // What costs no time to find out need not be avoided.
                if !error.is_cheap() {
                    permit.failed();
                }
                return Err(Failure::Upstream(error));
            }
        };
        permit.succeeded();
        let is_sending = body_state.is_some_and(|state| state.is_sending());
        let Exchange { response, connection, pool } = exchange;
        let (mut parts, incoming) = response.into_parts();
        headers::remove_hop_by_hop(&mut parts.headers);
        headers::add_via(&mut parts.headers, parts.version);
        parts.version = Version::HTTP_11;
        let body = ResponseBody::new(incoming, connection, &pool, is_sending, self.timeout, load, &self.lifecycle);
        Ok(Response::from_parts(parts, body))
    }
}

/// What became of a request, or what was wrong with the client's body.
fn outcome(
    result: Result<Result<Exchange, UpstreamError>, Elapsed>,
    body: Option<&BodyState>,
) -> Result<Result<Exchange, UpstreamError>, RequestBodyError> {
    match result {
        Ok(Ok(exchange)) if exchange.response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            Ok(Err(UpstreamError::SwitchedProtocols))
        }
        Ok(Ok(exchange)) => Ok(Ok(exchange)),
        Ok(Err(error)) => body.and_then(BodyState::error).map_or(Ok(Err(error)), Err),
        Err(_) if body.is_some_and(BodyState::is_pending) => Err(RequestBodyError::TimedOut),
        Err(_) => Ok(Err(UpstreamError::TimedOut)),
    }
}

//! Forwarding: the request to the service and its response back, both streamed.

pub mod body;
mod connection;
mod error;
pub mod headers;
mod pool;
mod response_body;
mod service_client;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode, Version, uri::PathAndQuery},
};
use tokio::time::{interval, timeout};

use crate::{config::UpstreamsConfig, error::ApiError, lifecycle::Lifecycle};

use self::{
    body::{RequestBody, RequestBodyError},
    error::UpstreamError,
    response_body::ResponseBody,
    service_client::ServiceClient,
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
    pub fn name(self) -> &'static str {
        match self {
            Self::Movie => "movie-service",
            Self::UserPreference => "user-preference-service",
            Self::Recommendation => "recommendation-service",
        }
    }
}

/// The clients of the services. One for each worker.
#[derive(Clone)]
pub struct Proxy {
    /// In the order of [`Upstream`].
    services: Arc<[ServiceClient; 3]>,
    timeout: Duration,
    max_body_bytes: usize,
}

impl Proxy {
    /// A proxy without connections yet. Closes idle ones until `lifecycle` stops.
    pub fn new(config: &UpstreamsConfig, lifecycle: &Lifecycle) -> Self {
        let origins = [&config.movie, &config.user_preference, &config.recommendation];
        let services = Arc::new(origins.map(|origin| ServiceClient::new(origin.clone(), config.connect_timeout)));
        let (swept, stop) = (services.clone(), lifecycle.stop_token());
        lifecycle.spawn(async move {
            let mut ticks = interval(SWEEP_INTERVAL);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                swept.iter().for_each(ServiceClient::sweep);
            }
        });
        Self { services, timeout: config.timeout, max_body_bytes: config.max_body_bytes }
    }

    /// Sends a request with final headers to `path`, and returns the service's response.
    ///
    /// # Errors
    /// 400, 408 and 413 for the client's body; 502 and 504 for the service. No text names an address.
    pub async fn forward(
        &self,
        upstream: Upstream,
        path: PathAndQuery,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, ApiError> {
        *request.uri_mut() = path.into();
        *request.version_mut() = Version::HTTP_11;
        let method = request.method().clone();
        let (mut request, body_state) = RequestBody::wrap(request, self.max_body_bytes)?;
        if body_state.is_some() {
            headers::frame_body(request.headers_mut());
        }
        let service = &self.services[upstream as usize];
        let result = match timeout(self.timeout, service.send(request)).await {
            Ok(Ok(exchange)) if exchange.response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                Err(UpstreamError::SwitchedProtocols)
            }
            Ok(Ok(exchange)) => Ok(exchange),
            Ok(Err(error)) => match body_state.as_ref().and_then(|state| state.error()) {
                Some(body_error) => return Err(body_error.into()),
                None => Err(error),
            },
            Err(_) if body_state.as_ref().is_some_and(|state| state.is_pending()) => {
                return Err(RequestBodyError::TimedOut.into());
            }
            Err(_) => Err(UpstreamError::TimedOut),
        };
        let exchange = result.map_err(|error| error.into_api_error(upstream, &method))?;
        let is_sending = body_state.is_some_and(|state| state.is_sending());
        let (mut parts, incoming) = exchange.response.into_parts();
        headers::prepare_response(parts.status, &mut parts.headers);
        headers::add_via(&mut parts.headers, parts.version);
        parts.version = Version::HTTP_11;
        let body = ResponseBody::new(incoming, exchange.connection, &exchange.pool, is_sending, self.timeout);
        Ok(Response::from_parts(parts, Body::new(body)))
    }
}

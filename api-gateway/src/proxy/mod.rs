//! Forwarding: the request to the service and its response back, both streamed.

pub mod body;
mod error;
pub mod headers;

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, Response, StatusCode, Uri, Version, uri::PathAndQuery},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::timeout;
use tower_http::timeout::TimeoutBody;

use crate::{
    config::{Origin, UpstreamsConfig},
    error::ApiError,
};

use self::{
    body::{RequestBody, RequestBodyError},
    error::UpstreamError,
};

/// Connections idle for this long are closed: earlier than the services do it, which could meet the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(8);
/// Idle connections kept for each service and worker.
const MAX_IDLE: usize = 256;

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

/// A client of the services with a connection pool. One for each worker.
#[derive(Clone)]
pub struct Proxy {
    client: Client<HttpConnector, Body>,
    config: UpstreamsConfig,
}

impl Proxy {
    /// A proxy without connections yet.
    pub fn new(config: UpstreamsConfig) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(config.connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            // Retries only requests of which nothing was written, so no request is carried out twice.
            .retry_canceled_requests(true)
            .build(connector);
        Self { client, config }
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
        *request.uri_mut() = self.uri(upstream, path);
        *request.version_mut() = Version::HTTP_11;
        let method = request.method().clone();
        let (request, body_state) = RequestBody::wrap(request, self.config.max_body_bytes)?;
        let result = match timeout(self.config.timeout, self.client.request(request)).await {
            Ok(Ok(response)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                Err(UpstreamError::SwitchedProtocols)
            }
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => match body_state.and_then(|state| state.error()) {
                Some(body_error) => return Err(body_error.into()),
                None => Err(error.into()),
            },
            Err(_) if body_state.is_some_and(|state| state.is_pending()) => {
                return Err(RequestBodyError::TimedOut.into());
            }
            Err(_) => Err(UpstreamError::TimedOut),
        };
        let response = result.map_err(|error| error.into_api_error(upstream, &method))?;
        let (mut parts, body) = response.into_parts();
        headers::remove_hop_by_hop(&mut parts.headers);
        parts.version = Version::HTTP_11;
        Ok(Response::from_parts(parts, Body::new(TimeoutBody::new(self.config.timeout, body))))
    }

    fn uri(&self, upstream: Upstream, path: PathAndQuery) -> Uri {
        let Origin { scheme, authority } = match upstream {
            Upstream::Movie => &self.config.movie,
            Upstream::UserPreference => &self.config.user_preference,
            Upstream::Recommendation => &self.config.recommendation,
        };
        let mut parts = axum::http::uri::Parts::default();
        parts.scheme = Some(scheme.clone());
        parts.authority = Some(authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).expect("scheme, authority and path are all there")
    }
}

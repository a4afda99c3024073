//! Forwarding: the request to the service, and its answer back, both streamed.

pub mod body;
pub mod headers;

use std::{fmt, time::Duration};

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

use self::body::{BodyFailure, ClientBody};

/// Connections unused for this long are closed; shorter than the services' own limit, so that they rarely close one
/// just as it is used again.
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
    /// The name that clients are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Movie => "movie-service",
            Self::UserPreference => "user-preference-service",
            Self::Recommendation => "recommendation-service",
        }
    }
}

/// Talks to the services over connections that are kept open. One for each worker.
#[derive(Clone)]
pub struct Proxy {
    client: Client<HttpConnector, Body>,
    config: UpstreamsConfig,
}

impl Proxy {
    /// Connects when it is first used.
    pub fn new(config: UpstreamsConfig) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(config.connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            // Only what was never written to a connection is sent again, so no request is carried out twice.
            .retry_canceled_requests(true)
            .build(connector);
        Self { client, config }
    }

    /// Sends a request whose headers are final and whose path is `path`; answers what the service answers.
    ///
    /// # Errors
    /// 400, 408 and 413 when the client's body is to blame; 502 and 504 when the service is. No text names an address.
    pub async fn forward(
        &self,
        upstream: Upstream,
        path: PathAndQuery,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, ApiError> {
        *request.uri_mut() = self.uri(upstream, path);
        *request.version_mut() = Version::HTTP_11;
        let (request, body) = ClientBody::watch(request, self.config.max_body_bytes)?;
        let answer = match timeout(self.config.timeout, self.client.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                return Err(match body.and_then(|body| body.failure()) {
                    Some(failure) => failure.into(),
                    None => unreachable_service(upstream, &error),
                });
            }
            Err(_) if body.is_some_and(|body| body.is_waiting()) => return Err(BodyFailure::TooSlow.into()),
            Err(_) => return Err(too_slow(upstream)),
        };
        // Nobody asked for another protocol: `Upgrade` is not passed on.
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(unreachable_service(upstream, &"it answered with another protocol"));
        }
        let (mut parts, body) = answer.into_parts();
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

fn unreachable_service(upstream: Upstream, error: &dyn fmt::Debug) -> ApiError {
    tracing::warn!(upstream = upstream.name(), ?error, "no answer from a service");
    let text = format!("service unavailable: {}", upstream.name());
    ApiError::new(StatusCode::BAD_GATEWAY, "service_unavailable", text)
}

fn too_slow(upstream: Upstream) -> ApiError {
    tracing::warn!(upstream = upstream.name(), "a service did not answer in time");
    let text = format!("service did not answer in time: {}", upstream.name());
    ApiError::new(StatusCode::GATEWAY_TIMEOUT, "service_timeout", text)
}

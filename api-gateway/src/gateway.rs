//! The way of a request through the gateway. The order of the phases is the specification.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, uri::PathAndQuery},
    response::IntoResponse,
};
use tower::{Service, ServiceExt};

use crate::{
    config::Config,
    error::{ApiError, as_json},
    middleware::{
        access_log::Entry,
        auth, client_ip, cors, message, rate_limit,
        request_id::{X_REQUEST_ID, request_id},
    },
    proxy::{Proxy, Upstream, headers},
    routing::{Route, path::canonical, route},
    service::limiter::{Limiter, Verdict},
};

/// Answers requests; one for each worker. Clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    config: Config,
    limiter: Limiter,
    proxy: Proxy,
    /// Health, readiness and Swagger.
    own: Router,
}

impl Gateway {
    /// Puts the parts together; `own` answers what is not forwarded.
    pub fn new(config: Config, limiter: Limiter, own: Router) -> Self {
        let proxy = Proxy::new(config.upstreams.clone());
        Self(Arc::new(Inner { config, limiter, proxy, own }))
    }
}

impl Service<Request<Body>> for Gateway {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move { Ok(inner.answer(request).await) })
    }
}

impl Inner {
    /// Around everything: the request's id, the access log, and the headers that every answer has.
    async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let started = Instant::now();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let peer = client_ip::canonical_ip(peer.expect("the server notes the peer of each connection"));
        let client = client_ip::client_ip(peer, request.headers(), &self.config.upstreams.trusted_proxies);
        let request_id = request_id(request.headers());
        request.headers_mut().insert(X_REQUEST_ID, request_id.clone());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let entry = Entry { client, method, path, request_id, started };

        let mut response = self.admit(request, peer, client).await;
        cors::allow(response.headers_mut());
        response.headers_mut().insert(X_REQUEST_ID, entry.request_id.clone());
        entry.write(response.status());
        response
    }

    /// Phases 1 to 3: what needs neither a place under the limit nor a token.
    async fn admit(&self, request: Request<Body>, peer: IpAddr, client: IpAddr) -> Response<Body> {
        // 1. A message that proxies could understand differently goes no further.
        if let Some(refusal) = message::refuse(&request) {
            return refusal;
        }
        // 2. Preflight requests carry no token and must not use up the limit.
        if let Some(response) = cors::preflight(request.method()) {
            return response;
        }
        // 3. One canonical path decides everything below. Health stays reachable for probes whatever the load.
        let path = canonical(request.uri().path()).map(|path| (route(&path), path.into_owned()));
        if let Ok((Route::Health, path)) = &path {
            return self.answer_itself(request, path).await;
        }
        self.limited(request, path.ok(), peer, client).await
    }

    /// Phase 4: the limit comes before authentication, so that tokens cannot be tried without end.
    async fn limited(
        &self,
        request: Request<Body>,
        path: Option<(Route, String)>,
        peer: IpAddr,
        client: IpAddr,
    ) -> Response<Body> {
        let verdict: Option<Verdict> = self.limiter.count(client).await;
        let mut response = match verdict {
            Some(verdict) if !verdict.allowed => rate_limit::refuse(&verdict, self.config.rate_limit.window.as_secs()),
            _ => match path {
                Some((route, path)) => self.routed(request, route, path, peer).await,
                None => ApiError::bad_request("invalid_path", "invalid request path").into_response(),
            },
        };
        if let Some(verdict) = verdict {
            rate_limit::add_headers(response.headers_mut(), &verdict);
        }
        response
    }

    /// Phases 5 and 6: authentication before routing, so that strangers do not learn which paths exist.
    async fn routed(&self, request: Request<Body>, route: Route, path: String, peer: IpAddr) -> Response<Body> {
        if route == Route::Docs {
            return self.answer_itself(request, &path).await;
        }
        if let Err(error) = auth::authenticate(request.headers()) {
            return error.into_response();
        }
        match route {
            Route::Service(upstream) => self.forward(request, upstream, path, peer).await,
            Route::Health | Route::Docs | Route::Unknown => crate::error::route_not_found().await.into_response(),
        }
    }

    /// Phase 7.
    async fn forward(
        &self,
        mut request: Request<Body>,
        upstream: Upstream,
        path: String,
        peer: IpAddr,
    ) -> Response<Body> {
        let Ok(target) = path_and_query(&request, path) else {
            return ApiError::bad_request("invalid_path", "invalid request path").into_response();
        };
        let trusted = client_ip::is_trusted(peer, &self.config.upstreams.trusted_proxies);
        let authority = request.uri().authority().cloned();
        headers::prepare_request(request.headers_mut(), peer, trusted, authority.as_ref());
        self.proxy.forward(upstream, target, request).await.unwrap_or_else(IntoResponse::into_response)
    }

    /// Health and Swagger, on their canonical path.
    async fn answer_itself(&self, mut request: Request<Body>, path: &str) -> Response<Body> {
        // One trailing slash makes no difference, except to the Swagger page.
        let path = if path.starts_with("/swagger") { path } else { path.trim_end_matches('/') };
        let Ok(uri) = path.parse() else {
            return ApiError::bad_request("invalid_path", "invalid request path").into_response();
        };
        *request.uri_mut() = uri;
        match self.own.clone().oneshot(request).await {
            Ok(response) => as_json(response),
        }
    }
}

/// The canonical path with the query as it came.
fn path_and_query(request: &Request<Body>, path: String) -> Result<PathAndQuery, axum::http::uri::InvalidUri> {
    match request.uri().path_and_query() {
        Some(same) if same.path() == path => Ok(same.clone()),
        Some(other) if other.query().is_some() => {
            PathAndQuery::try_from(format!("{path}?{}", other.query().unwrap_or_default()))
        }
        _ => PathAndQuery::try_from(path),
    }
}

//! A request's path through the gateway. The order of the phases is the specification.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{
        Request, Response,
        uri::{InvalidUri, PathAndQuery},
    },
    response::IntoResponse,
};
use tower::{Service, ServiceExt};
use tracing::Instrument;

use crate::{
    auth::{Authenticator, Identity},
    config::Config,
    error::{ApiError, as_json},
    error_code::ErrorCode,
    gateway_metrics::gateway_metrics,
    phases::{
        access_log::{AccessLog, timed},
        auth::{self, Refusal},
        client_ip,
        compression::{self, Accepted},
        cors, message_validation, rate_limit,
        request_id::{X_REQUEST_ID, request_id},
    },
    proxy::{Proxy, Upstream, headers},
    routing::{Route, path, route},
    service::limiter::{Client, Key, LimitBy, Limiter},
};

/// The service that handles requests; one for each worker. Clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    config: Config,
    authenticator: Authenticator,
    limiter: Limiter,
    proxy: Proxy,
    /// The gateway's own routes: the web page, health, readiness, Swagger.
    handlers: Router,
}

/// Who sends a request, or why it is refused.
type Caller = Result<Option<Identity>, Refusal>;

/// What the phases know of a request.
struct RequestInfo {
    /// The other end of the connection.
    peer: IpAddr,
    /// The client, behind trusted proxies.
    client: IpAddr,
    route: Route,
    /// `None` when the path has no canonical form.
    canonical_path: Option<String>,
}

impl Gateway {
    /// A gateway that forwards what `handlers` does not answer.
    pub fn new(config: Config, authenticator: Authenticator, limiter: Limiter, proxy: Proxy, handlers: Router) -> Self {
        Self(Arc::new(Inner { config, authenticator, limiter, proxy, handlers }))
    }
}

impl Service<Request<Body>> for Gateway {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let inner = self.0.clone();
        // Now and not when it is first polled: hyper never polls for a client that has hung up by then.
        let (info, access_log) = inner.begin(&mut request);
        Box::pin(async move { Ok(inner.handle(request, info, access_log).await) })
    }
}

impl Inner {
    /// Before all phases: request id, trace, access log.
    fn begin(&self, request: &mut Request<Body>) -> (RequestInfo, AccessLog) {
        let info = self.inspect(request);
        let request_id = request_id(request.headers());
        request.headers_mut().insert(X_REQUEST_ID, request_id.clone());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let access_log = AccessLog::start(info.client, method, path, info.route, request_id, request.headers_mut());
        (info, access_log)
    }

    /// Around all phases: the span, and the headers of every response.
    async fn handle(&self, request: Request<Body>, info: RequestInfo, access_log: AccessLog) -> Response<Body> {
        let mut response = self.validate(request, info).instrument(access_log.span().clone()).await;
        cors::add_headers(response.headers_mut());
        response.headers_mut().insert(X_REQUEST_ID, access_log.request_id().clone());
        access_log.attach(response)
    }

    fn inspect(&self, request: &Request<Body>) -> RequestInfo {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let peer = client_ip::canonical_ip(peer.expect("the server adds the peer to each request"));
        let client = client_ip::client_ip(peer, request.headers(), &self.config.upstreams.trusted_proxies);
        // One canonical path decides everything below.
        let canonical_path = path::canonical(request.uri().path()).ok();
        let route = canonical_path.as_deref().map_or(Route::Unknown, route);
        RequestInfo { peer, client, route, canonical_path: canonical_path.map(Into::into) }
    }

    /// Phases 1 to 3: what needs neither a token nor a place in the rate limit.
    async fn validate(&self, request: Request<Body>, info: RequestInfo) -> Response<Body> {
        // 1. A message that servers could interpret differently is not forwarded.
        if let Err(rejection) = message_validation::validate(&request, self.config.upstreams.max_uri_bytes) {
            return rejection;
        }
        // 2. Preflight requests carry no token and must not use up the limit.
        if let Some(response) = cors::preflight(request.method()) {
            return response;
        }
        // 3. Health has to answer probes under any load, and the pages load a dozen files at once.
        match (info.route, &info.canonical_path) {
            (Route::Web | Route::Health | Route::Docs, Some(path)) => {
                Box::pin(self.handle_locally(request, path)).await
            }
            _ => self.limit(request, info).await,
        }
    }

    /// Phase 4: the limit comes before authentication, so that tokens cannot be guessed without end. When subjects are
    /// counted, who it is must be known before; the answer is 429 in the same cases.
    async fn limit(&self, request: Request<Body>, info: RequestInfo) -> Response<Body> {
        let config = &self.config.rate_limit;
        let caller = match config.by {
            LimitBy::Subject => Some(auth::authenticate(&self.authenticator, request.headers()).await),
            LimitBy::Address => None,
        };
        let client = match &caller {
            Some(Ok(Some(identity))) => Client::Subject(identity.subject().into()),
            _ => Client::new(info.client, config.ipv6_prefix),
        };
        let policy = rate_limit::policy(config, request.method(), info.canonical_path.as_deref());
        let decision = self.limiter.check(Key { policy, client }).await;
        gateway_metrics().count_decision(decision.as_ref());
        let mut response = match decision {
            Some(decision) if !decision.allowed => rate_limit::too_many_requests(&decision),
            _ => self.authenticate(request, info, caller).await.unwrap_or_else(IntoResponse::into_response),
        };
        if let Some(decision) = decision {
            rate_limit::add_headers(response.headers_mut(), config, policy, &decision);
        }
        response
    }

    /// Phases 5 and 6: authentication comes before routing, so that nobody learns which paths exist without a token.
    /// `caller` is who sends the request, when that is known already.
    async fn authenticate(
        &self,
        request: Request<Body>,
        info: RequestInfo,
        caller: Option<Caller>,
    ) -> Result<Response<Body>, ApiError> {
        let path = info.canonical_path.ok_or_else(invalid_path)?;
        let caller = match caller {
            Some(caller) => caller,
            None => auth::authenticate(&self.authenticator, request.headers()).await,
        };
        let identity = match caller.and_then(|identity| auth::authorize(identity, request.method(), &path)) {
            Ok(identity) => identity,
            Err(refusal) => return Ok(refusal.into_response()),
        };
        match info.route {
            Route::Service(upstream) => {
                let (method, target) = (request.method().clone(), path_and_query(&request, path));
                let target = target.map_err(|_| invalid_path())?;
                Ok(timed(upstream, method, self.forward(request, upstream, target, info.peer, identity)).await)
            }
            Route::Status => Ok(Box::pin(self.handle_locally(request, &path)).await),
            Route::Web | Route::Health | Route::Docs | Route::Unknown => Err(crate::error::route_not_found().await),
        }
    }

    /// Phase 7.
    async fn forward(
        &self,
        mut request: Request<Body>,
        upstream: Upstream,
        target: PathAndQuery,
        peer: IpAddr,
        identity: Option<Identity>,
    ) -> Response<Body> {
        let trusted = client_ip::is_trusted(peer, &self.config.upstreams.trusted_proxies);
        let authority = request.uri().authority().cloned();
        let version = request.version();
        headers::prepare_request(request.headers_mut(), peer, trusted, authority.as_ref());
        headers::add_via(request.headers_mut(), version);
        if let Some(identity) = identity {
            headers::set_identity(request.headers_mut(), &identity);
        }
        compression::restore_tags(request.headers_mut());
        let accepted = Accepted::from_headers(request.headers());
        accepted.compress(self.proxy.forward(upstream, target, request).await).await
    }

    /// Calls the gateway's own handlers with the canonical path.
    async fn handle_locally(&self, mut request: Request<Body>, path: &str) -> Response<Body> {
        // One trailing slash makes no difference, except to the index and the Swagger page.
        let path = if path == "/" || path.starts_with("/swagger") { path } else { path.trim_end_matches('/') };
        let Ok(uri) = path.parse() else { return invalid_path().into_response() };
        *request.uri_mut() = uri;
        match self.handlers.clone().oneshot(request).await {
            Ok(response) => as_json(response),
        }
    }
}

fn invalid_path() -> ApiError {
    ApiError::bad_request(ErrorCode::InvalidPath, "invalid request path")
}

/// The canonical path with the unchanged query.
fn path_and_query(request: &Request<Body>, path: String) -> Result<PathAndQuery, InvalidUri> {
    match request.uri().path_and_query() {
        Some(unchanged) if unchanged.path() == path => Ok(unchanged.clone()),
        Some(other) if other.query().is_some() => {
            PathAndQuery::try_from(format!("{path}?{}", other.query().unwrap_or_default()))
        }
        _ => PathAndQuery::try_from(path),
    }
}

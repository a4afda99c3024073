//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! What every request passes on its way to a handler, outermost first; the order is the specification.

use std::{
    any::Any,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use tower::{ServiceBuilder, util::MapRequest};
use tower_http::{
    catch_panic::CatchPanicLayer,
    decompression::RequestDecompressionLayer,
    limit::RequestBodyLimitLayer,
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
};
use tracing::{Instrument, Span, field::Empty};

use crate::{
    error::{ApiError, as_json, route_not_found},
    error_code::ErrorCode,
    metrics::metrics,
    otlp,
};

/// Largest request body in bytes, unless a route has a limit of its own.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Longest pause between two pieces of a request body.
const BODY_READ_TIMEOUT: Duration = Duration::from_secs(10);
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes of a service with everything around them.
pub type WrappedRouter = MapRequest<Router, fn(Request) -> Request>;

/// Wraps the routes of a service.
pub fn wrap(routes: Router) -> WrappedRouter {
    // One stack, outermost first: each `Router::layer` boxes every request and response once more.
    let layers = ServiceBuilder::new()
        .layer(from_fn(in_span))
        // Outside of the limits of bodies, which count what is decompressed; 415 for an encoding that it does not know.
        .layer(RequestDecompressionLayer::new().gzip(true).br(true).zstd(true))
        // Around all that may panic; the response it makes is still logged and turned into JSON.
        .layer(CatchPanicLayer::custom(panicked))
        // Innermost: a body that stalls is seen by the handler as a failed read.
        .layer(RequestBodyTimeoutLayer::new(BODY_READ_TIMEOUT));
    // The path must change before the router has chosen the route.
    MapRequest::new(routes.fallback(route_not_found).layer(layers), without_trailing_slash)
}

/// Limits the bodies of the routes it is put on: 413 for one that says that it is larger; one that turns out to be is
/// seen by the handler as a failed read.
pub fn body_limit() -> RequestBodyLimitLayer {
    RequestBodyLimitLayer::new(MAX_BODY_BYTES)
}

/// Limits the time of the routes it is put on: 504 after `limit`. Not for work that must not be cut off half-way.
pub fn time_limit(limit: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, limit)
}

/// One trailing slash makes no difference, except below `/swagger`, whose page needs it.
fn without_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.len() > 1 && path.ends_with('/') && !path.starts_with("/swagger") {
        let trimmed = &path[..path.len() - 1];
        let path_and_query = match request.uri().query() {
            Some(query) => format!("{trimmed}?{query}"),
            None => trimmed.to_owned(),
        };
        let mut parts = request.uri().clone().into_parts();
        if let Ok(path_and_query) = PathAndQuery::try_from(path_and_query) {
            parts.path_and_query = Some(path_and_query);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

/// Gives a request its id, the span that everything logged for it belongs to, and one line in the log: `debug` for what
/// went well, `warn` for a status of 500 and above. Errors leave as JSON.
async fn in_span(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request.headers_mut().entry(X_REQUEST_ID).or_insert_with(random_id).clone();
    let (span, uri, method) = (request_span(&request), request.uri().clone(), request.method().clone());
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let _active = metrics().begin_request();
    otlp::continue_trace(&span, request.headers_mut());
    let mut response = as_json(next.run(request).instrument(span.clone()).await);
    response.headers_mut().insert(X_REQUEST_ID, id);
    span.record("status", response.status().as_u16());
    metrics().record_request(&method, route.into(), response.status().as_u16(), started.elapsed());
    let (path, micros) = (uri.path(), started.elapsed().as_micros() as u64);
    if response.status().is_server_error() {
        tracing::warn!(parent: &span, path, micros, "request");
    } else {
        tracing::debug!(parent: &span, path, micros, "request");
    }
    response
}

/// At the level `ERROR`, so that no `LOG_LEVEL` drops it.
fn request_span(request: &Request) -> Span {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    tracing::error_span!(
        "request",
        request_id = header("x-request-id"),
        trace_id = header("traceparent").and_then(trace_id),
        method = request.method().as_str(),
        route,
        status = Empty,
        "otel.name" = otlp::is_enabled().then(|| format!("{} {}", request.method(), route.unwrap_or_default())),
        "otel.kind" = otlp::is_enabled().then_some("server"),
    )
}

/// 128 random bits in hexadecimal, for requests that come without an id.
fn random_id() -> HeaderValue {
    HeaderValue::try_from(format!("{:032x}", rand::random::<u128>())).expect("hexadecimal digits are legal")
}

/// The trace id of a `traceparent` header (W3C Trace Context, section 3.2).
fn trace_id(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1).filter(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> axum::http::Response<Body> {
    // The panic hook has logged the message and the place.
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, "internal server error").into_response()
}

/// A JSON body that is ready to be sent, with its status.
pub fn json_bytes(status: StatusCode, body: bytes::Bytes) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

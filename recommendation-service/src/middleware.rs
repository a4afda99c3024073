//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! What every request passes on its way to a handler, outermost first; the order is the specification.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    middleware::{map_request, map_response},
    response::{IntoResponse, Response},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    decompression::RequestDecompressionLayer,
    limit::RequestBodyLimitLayer,
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
    trace::TraceLayer,
};
use tracing::{Span, field::Empty};

use crate::{
    error::{ApiError, as_json, route_not_found},
    error_code::ErrorCode,
};

/// Largest request body in bytes, unless a route has a limit of its own.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Longest pause between two pieces of a request body.
const BODY_READ_TIMEOUT: Duration = Duration::from_secs(10);
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps the routes of a service.
pub fn wrap(routes: Router) -> Router {
    let app = routes
        .fallback(route_not_found)
        // Innermost: a body that stalls is seen by the handler as a failed read.
        .layer(RequestBodyTimeoutLayer::new(BODY_READ_TIMEOUT))
        // Around all that may panic; the response it makes is still logged and turned into JSON.
        .layer(CatchPanicLayer::custom(panicked))
        // Outside of the limits of bodies, which count what is decompressed; 415 for an encoding that it does not know.
        .layer(RequestDecompressionLayer::new().gzip(true).br(true).zstd(true))
        .layer(map_response(async |response: Response| as_json(response)))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_span)
                .on_request(())
                .on_response(log_response)
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::new(X_REQUEST_ID))
        .layer(SetRequestIdLayer::new(X_REQUEST_ID, RandomRequestId));
    // A router of its own, since layers run after a router has chosen the route, and the path must change before.
    Router::new().fallback_service(app).layer(map_request(without_trailing_slash))
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
async fn without_trailing_slash(mut request: Request) -> Request {
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

/// The span that everything logged for a request belongs to. At the level `ERROR`, so that no `LOG_LEVEL` drops it.
fn request_span(request: &Request) -> Span {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    tracing::error_span!(
        "request",
        request_id = header("x-request-id"),
        trace_id = header("traceparent").and_then(trace_id),
        method = %request.method(),
        path = ?request.uri().path(),
        route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str),
        status = Empty,
    )
}

/// The trace id of a `traceparent` header (W3C Trace Context, section 3.2).
fn trace_id(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1).filter(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// One line a request: `debug` for what went well, `warn` for a status of 500 and above.
fn log_response<B>(response: &axum::http::Response<B>, latency: Duration, span: &Span) {
    span.record("status", response.status().as_u16());
    let micros = latency.as_micros() as u64;
    if response.status().is_server_error() {
        tracing::warn!(micros, "request");
    } else {
        tracing::debug!(micros, "request");
    }
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> axum::http::Response<Body> {
    // The panic hook has logged the message and the place.
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, "internal server error").into_response()
}

/// 128 random bits in hexadecimal, for requests that come without an id.
#[derive(Debug, Clone, Copy)]
struct RandomRequestId;

impl MakeRequestId for RandomRequestId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        HeaderValue::from_str(&format!("{:032x}", rand::random::<u128>())).ok().map(RequestId::new)
    }
}

/// A JSON body that is ready to be sent, with its status.
pub fn json_bytes(status: StatusCode, body: bytes::Bytes) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

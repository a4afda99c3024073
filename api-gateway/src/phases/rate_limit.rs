//! The headers and the 429 of the rate limit.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error_code::ErrorCode, service::limiter::Decision};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The body of a 429.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateLimited {
    /// Always `rate limit exceeded`.
    #[schema(example = "rate limit exceeded")]
    pub error: &'static str,
    /// Always `rate_limited`.
    pub code: ErrorCode,
    /// Whole seconds until the next window.
    #[schema(example = 42)]
    pub retry_after: u64,
}

/// Adds `X-RateLimit-Limit`, `-Remaining` and `-Reset` to a response.
pub fn add_headers(headers: &mut HeaderMap, decision: &Decision) {
    headers.insert(LIMIT, decision.limit.into());
    headers.insert(REMAINING, decision.remaining.into());
    headers.insert(RESET, decision.reset_seconds.into());
}

/// 429 with `Retry-After`, and `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
pub fn too_many_requests(decision: &Decision, window_seconds: u64) -> Response<Body> {
    let body =
        RateLimited { error: "rate limit exceeded", code: ErrorCode::RateLimited, retry_after: decision.reset_seconds };
    let body = serde_json::to_string(&body).expect("plain fields always serialise");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::RETRY_AFTER, decision.reset_seconds.into());
    let policy = format!("\"default\";q={};w={window_seconds}", decision.limit);
    let state = format!("\"default\";r={};t={}", decision.remaining, decision.reset_seconds);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
        headers.insert(HeaderName::from_static(name), value.try_into().expect("digits and punctuation are legal"));
    }
    response
}

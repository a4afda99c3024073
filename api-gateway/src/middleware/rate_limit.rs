//! What a client is told of the rate limit.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::limiter::Verdict;

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
    #[schema(example = "rate_limited")]
    pub code: &'static str,
    /// Whole seconds until the next window.
    #[schema(example = 42)]
    pub retry_after: u64,
}

/// Adds `X-RateLimit-Limit`, `-Remaining` and `-Reset` to an answer.
pub fn add_headers(headers: &mut HeaderMap, verdict: &Verdict) {
    headers.insert(LIMIT, verdict.limit.into());
    headers.insert(REMAINING, verdict.remaining.into());
    headers.insert(RESET, verdict.reset_seconds.into());
}

/// 429 with `Retry-After`, and `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
pub fn refuse(verdict: &Verdict, window_seconds: u64) -> Response<Body> {
    let body = RateLimited { error: "rate limit exceeded", code: "rate_limited", retry_after: verdict.reset_seconds };
    let body = serde_json::to_string(&body).expect("plain fields always serialise");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::RETRY_AFTER, verdict.reset_seconds.into());
    let policy = format!("\"default\";q={};w={window_seconds}", verdict.limit);
    let state = format!("\"default\";r={};t={}", verdict.remaining, verdict.reset_seconds);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
        headers.insert(HeaderName::from_static(name), value.try_into().expect("digits and punctuation are legal"));
    }
    response
}

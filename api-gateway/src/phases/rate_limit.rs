//! The policy of a request, and the headers and the 429 of the rate limit.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    drain_body::DrainLimit,
    error_code::ErrorCode,
    service::limiter::{Decision, Policy, RateLimitConfig},
};

use super::auth::MAX_DRAINED_BYTES;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The body of a 429.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateLimited {
    /// Always `rate limit exceeded`.
    #[schema(example = "rate limit exceeded")]
    pub error: &'static str,
    /// Always `rate_limited`.
    pub code: ErrorCode,
    /// Whole seconds until a request is allowed again.
    #[schema(example = 42)]
    pub retry_after: u64,
}

/// The policy of a request to a canonical path; `None` is a path without a canonical form.
pub fn policy(config: &RateLimitConfig, method: &Method, path: Option<&str>) -> Policy {
    let is_admin = path.is_some_and(|path| path.starts_with("/api/v1/admin/"));
    if is_admin && config.admin.is_some() {
        Policy::Admin
    } else if !method.is_safe() && config.write.is_some() {
        Policy::Write
    } else {
        Policy::Default
    }
}

/// Adds `X-RateLimit-Limit`, `-Remaining` and `-Reset` to a response, and `RateLimit-Policy` and `RateLimit` of
/// draft-ietf-httpapi-ratelimit-headers-10.
pub fn add_headers(headers: &mut HeaderMap, config: &RateLimitConfig, policy: Policy, decision: &Decision) {
    let (name, window) = (policy.name(), config.quota(policy).window.as_secs());
    let Decision { limit, remaining, .. } = decision;
    let reset = decision.reset_seconds();
    headers.insert(LIMIT, (*limit).into());
    headers.insert(REMAINING, (*remaining).into());
    headers.insert(RESET, reset.into());
    headers.insert(POLICY, value(format!("\"{name}\";q={limit};w={window}")));
    headers.insert(STATE, value(format!("\"{name}\";r={remaining};t={reset}")));
}

fn value(text: String) -> HeaderValue {
    text.try_into().expect("digits and punctuation are legal")
}

/// 429 with `Retry-After`.
pub fn too_many_requests(decision: &Decision) -> Response<Body> {
    let retry_after = decision.retry_after_seconds();
    let body = RateLimited { error: "rate limit exceeded", code: ErrorCode::RateLimited, retry_after };
    let body = serde_json::to_string(&body).expect("plain fields always serialise");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::RETRY_AFTER, retry_after.into());
    response.extensions_mut().insert(DrainLimit(MAX_DRAINED_BYTES));
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::service::limiter::{Algorithm, Fallback, LimitBy, Quota};

    fn config(write: Option<u64>, admin: Option<u64>) -> RateLimitConfig {
        let quota = |max| Quota { max, window: Duration::from_secs(60) };
        RateLimitConfig {
            default: quota(100),
            write: write.map(quota),
            admin: admin.map(quota),
            algorithm: Algorithm::FixedWindow,
            by: LimitBy::Address,
            fallback: Fallback::Open,
            ipv6_prefix: 64,
        }
    }

    #[test]
    fn a_class_of_routes_has_a_policy_of_its_own_when_it_is_set() {
        let (own, shared) = (config(Some(20), Some(5)), config(None, None));
        for (method, path, expected) in [
            (Method::POST, "/api/v1/admin/sync", Policy::Admin),
            (Method::GET, "/api/v1/admin/sync/jobs", Policy::Admin),
            (Method::POST, "/api/v1/users", Policy::Write),
            (Method::HEAD, "/api/v1/movies", Policy::Default),
            (Method::GET, "/api/v1/administrators", Policy::Default),
        ] {
            assert_eq!(policy(&own, &method, Some(path)), expected, "{method} {path}");
            assert_eq!(policy(&shared, &method, Some(path)), Policy::Default, "{method} {path}");
        }
        assert_eq!(policy(&own, &Method::GET, None), Policy::Default);
    }

    #[test]
    fn the_headers_of_the_draft_name_the_policy() {
        let (config, mut headers) = (config(None, Some(5)), HeaderMap::new());
        let (reset, retry_after) = (Duration::from_millis(56_001), Duration::ZERO);
        let decision = Decision { allowed: true, limit: 5, remaining: 4, reset, retry_after };
        add_headers(&mut headers, &config, Policy::Admin, &decision);
        assert_eq!(headers[POLICY], r#""admin";q=5;w=60"#);
        assert_eq!(headers[STATE], r#""admin";r=4;t=57"#);
        assert_eq!(headers[RESET], "57");
    }
}

//! Messages that hyper lets through and a gateway must not: another server could understand them differently.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header},
    response::IntoResponse,
};

use crate::error::ApiError;

use super::cors::METHODS;

/// The answer to a message that goes no further, `None` for any other.
pub fn refuse<T>(request: &Request<T>) -> Option<Response<Body>> {
    // Methods for proxies, and for looking at what proxies did to a message (RFC 9110, section 9.3).
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed");
        return Some(([(header::ALLOW, METHODS)], error).into_response());
    }
    let headers = request.headers();
    let host_optional = request.version() == Version::HTTP_10;
    if !has_one_host(headers, host_optional) {
        let text = "exactly one Host header is required, with a host and maybe a port";
        return Some(ApiError::bad_request("invalid_host", text).into_response());
    }
    if has_ambiguous_length(headers) {
        let text = "the length of the body must be said by Content-Length or by Transfer-Encoding: chunked, once";
        return Some(ApiError::bad_request("ambiguous_length", text).into_response());
    }
    None
}

/// RFC 9112, section 3.2.
fn has_one_host(headers: &HeaderMap, optional: bool) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => optional,
        (Some(host), None) => is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    }
}

/// Whether a value can be a host with or without a port: names, addresses, escapes.
fn is_host(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(byte))
}

/// Both ways to frame a body at once, or a coding that is not undone here: the classic ways to smuggle a request
/// (RFC 9112, sections 6.1 and 6.3).
fn has_ambiguous_length(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(coding), None) => !is_chunked(coding) || headers.contains_key(header::CONTENT_LENGTH),
        (Some(_), Some(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(version: Version, pairs: &[(&str, &str)]) -> Option<StatusCode> {
        let mut request = Request::builder().version(version);
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        refuse(&request.body(()).expect("legal headers")).map(|response| response.status())
    }

    #[test]
    fn one_host_and_one_framing_pass() {
        for host in ["movies.example", "movies.example:8080", "127.0.0.1:80", "[::1]:80", ""] {
            assert_eq!(status(Version::HTTP_11, &[("host", host)]), None, "{host}");
        }
        assert_eq!(status(Version::HTTP_10, &[]), None);
        for framing in [("content-length", "3"), ("transfer-encoding", "chunked"), ("transfer-encoding", "Chunked")] {
            assert_eq!(status(Version::HTTP_11, &[("host", "a"), framing]), None, "{framing:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let (chunked, length) = (("transfer-encoding", "chunked"), ("content-length", "3"));
        for headers in [
            &[][..],
            &[("host", "a"), ("host", "a")],
            &[("host", "a, b")],
            &[("host", "user@a")],
            &[("host", "a/b")],
            &[("host", "a"), chunked, length],
            &[("host", "a"), chunked, chunked],
            &[("host", "a"), ("transfer-encoding", "gzip, chunked")],
            &[("host", "a"), ("transfer-encoding", "identity")],
            &[("host", "a"), ("transfer-encoding", "")],
        ] {
            assert_eq!(status(Version::HTTP_11, headers), Some(StatusCode::BAD_REQUEST), "{headers:?}");
        }
    }
}

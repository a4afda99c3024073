//! Rejects messages that hyper accepts and a gateway must not: another server could interpret them differently, which
//! is how requests are smuggled.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header},
    response::IntoResponse,
};

use crate::{error::ApiError, error_code::ErrorCode};

use super::cors::METHODS;

/// Checks method, length of the target, `Host` and `Transfer-Encoding`.
///
/// # Errors
/// The response to a message that is rejected. It closes the connection: where the body ends is as uncertain as the
/// rest, so nothing after it is read as a request.
#[expect(clippy::result_large_err, reason = "the response is moved once, on the way out")]
pub fn validate<T>(request: &Request<T>, max_uri_bytes: usize) -> Result<(), Response<Body>> {
    let Some(mut response) = rejection(request, max_uri_bytes) else { return Ok(()) };
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Err(response)
}

fn rejection<T>(request: &Request<T>, max_uri_bytes: usize) -> Option<Response<Body>> {
    // Methods for proxies, and for looking at what proxies did to a message (RFC 9110, section 9.3).
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::MethodNotAllowed, "Method Not Allowed");
        return Some(([(header::ALLOW, METHODS)], error).into_response());
    }
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > max_uri_bytes) {
        let error = ApiError::new(StatusCode::URI_TOO_LONG, ErrorCode::UriTooLong, "the request URI is too long");
        return Some(error.into_response());
    }
    let headers = request.headers();
    let host_optional = request.version() == Version::HTTP_10;
    if !has_one_host(headers, host_optional) {
        let text = "exactly one Host header is required, with a host and maybe a port";
        return Some(ApiError::bad_request(ErrorCode::InvalidHost, text).into_response());
    }
    if has_unsupported_coding(headers) {
        let text = "chunked is the only supported Transfer-Encoding, and may be given once";
        return Some(ApiError::bad_request(ErrorCode::UnknownTransferEncoding, text).into_response());
    }
    None
}

/// RFC 9112, section 3.2.
fn has_one_host(headers: &HeaderMap, optional: bool) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => optional,
        (Some(host), None) => is_valid_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    }
}

/// Whether a value can be a host with or without a port: names, addresses, escapes.
pub fn is_valid_host(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(byte))
}

/// Whether a body has a coding that would have to be undone here (RFC 9112, section 6.1). A `Content-Length` beside
/// `Transfer-Encoding` never gets here: hyper drops it and closes the connection after the answer, as section 6.3 says.
fn has_unsupported_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(coding), None) => !coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
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
        validate(&request.body(()).expect("legal headers"), 100).err().map(|response| response.status())
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
    fn other_hosts_and_framings_are_rejected() {
        let chunked = ("transfer-encoding", "chunked");
        for headers in [
            &[][..],
            &[("host", "a"), ("host", "a")],
            &[("host", "a, b")],
            &[("host", "user@a")],
            &[("host", "a/b")],
            &[("host", "a"), chunked, chunked],
            &[("host", "a"), ("transfer-encoding", "gzip, chunked")],
            &[("host", "a"), ("transfer-encoding", "identity")],
            &[("host", "a"), ("transfer-encoding", "")],
        ] {
            assert_eq!(status(Version::HTTP_11, headers), Some(StatusCode::BAD_REQUEST), "{headers:?}");
        }
    }
}

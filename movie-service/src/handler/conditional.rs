//! Conditional reads (RFC 9110, section 13): whoever has an answer already is told so, instead of being sent it again.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

use crate::{
    middleware::json_bytes,
    models::etag::{ETag, Tagged},
};

/// Kept by whom it may concern, and asked about each time: the catalogue may change at any moment.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// The answer with its tag, or 304 without a body when `If-None-Match` names the tag.
pub fn answer(request: &HeaderMap, Tagged { etag, body }: Tagged) -> Response {
    let mut response = if is_known(request, &etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        // That of the answer (RFC 9110, section 8.6); axum would say 0.
        response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
        response
    } else {
        json_bytes(StatusCode::OK, body)
    };
    let tag = HeaderValue::from_maybe_shared(etag.to_string()).expect("quotes and hexadecimal digits");
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::CACHE_CONTROL, REVALIDATE);
    response
}

fn is_known(request: &HeaderMap, etag: &ETag) -> bool {
    let named = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    etag.is_named_by(named, true)
}

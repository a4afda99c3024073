//! Conditional reads (RFC 9110, section 13): whoever has an answer already is told so, instead of being sent it again.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use utoipa::{IntoParams, IntoResponses};

use crate::{middleware::json_bytes, models::etag::Tagged};

/// Kept by whom it may concern, and asked about each time: the catalogue may change at any moment.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// What conditional reads take, for the specification.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub(super) struct Conditions {
    /// `ETag`s of answers that are there already, or `*`
    #[param(rename = "If-None-Match")]
    if_none_match: Option<String>,
}

/// Responses that all conditional reads share, for the specification.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub(super) enum ReadResponses {
    /// The answer that is there already is up to date
    #[response(status = 304, headers(("ETag" = String, description = "As of the answer")))]
    NotModified,
}

/// The answer with its tag, or 304 without a body when `If-None-Match` names the tag.
pub fn answer(request: &HeaderMap, Tagged { etag, body }: Tagged) -> Response {
    let mut response = if etag.is_named_by(if_none_match(request), true) {
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

/// The values of `If-None-Match`.
pub fn if_none_match(request: &HeaderMap) -> impl Iterator<Item = &str> {
    request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok())
}

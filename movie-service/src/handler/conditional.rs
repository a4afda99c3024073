//! Conditional reads (RFC 9110, section 13): whoever has an answer already is told so, instead of being sent it again.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use utoipa::{IntoParams, IntoResponses};

use crate::{middleware::json_bytes, service::movies::HashedBody};

/// Kept by whom it may concern, and asked about each time: the catalogue may change at any moment.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// What conditional reads take, for the specification.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub(super) struct Conditions {
    /// `ETag`s of answers that are there already, or `*`
    #[param(rename = "If-None-Match", value_type = String, required = false)]
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
pub fn answer(request: &HeaderMap, found: HashedBody) -> Response {
    let etag = etag(&found);
    let mut response = if is_named(&etag, if_none_match(request), true) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        // That of the answer (RFC 9110, section 8.6); axum would say 0.
        response.headers_mut().insert(header::CONTENT_LENGTH, found.body.len().into());
        response
    } else {
        json_bytes(StatusCode::OK, found.body)
    };
    let etag = HeaderValue::from_maybe_shared(etag).expect("quotes and hexadecimal digits");
    response.headers_mut().insert(header::ETAG, etag);
    response.headers_mut().insert(header::CACHE_CONTROL, REVALIDATE);
    response
}

/// The tag of a body (RFC 9110, section 8.8.3): a strong one, made of the bytes that are sent. Whatever changes an answer
/// changes its tag, and every replica makes the same one.
pub fn etag(body: &HashedBody) -> String {
    format!("\"{:032x}\"", u128::from_be_bytes(body.digest))
}

/// The values of `If-None-Match`.
pub fn if_none_match(request: &HeaderMap) -> impl Iterator<Item = &str> {
    request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok())
}

/// Whether one of the values of a header, each a list or `*`, names `tag`, which has its quotes and no comma between them.
/// `weakly` as for `If-None-Match`: a weak tag counts as its strong one.
pub fn is_named<'a>(tag: &str, values: impl IntoIterator<Item = &'a str>, weakly: bool) -> bool {
    let is_tag = |named: &str| tag == if weakly { named.strip_prefix("W/").unwrap_or(named) } else { named };
    values.into_iter().any(|value| value.trim() == "*" || value.split(',').map(str::trim).any(is_tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(body: &'static [u8]) -> String {
        etag(&HashedBody::of(body.into()))
    }

    #[test]
    fn a_tag_follows_the_bytes() {
        assert_eq!(tag(b"{}"), tag(b"{}"));
        assert_ne!(tag(b"{}"), tag(b"[]"));
        assert_eq!(tag(b""), "\"e3b0c44298fc1c149afbf4c8996fb924\"", "SHA-256 of nothing");
    }

    #[test]
    fn a_header_may_name_a_list_or_anything() {
        let strong = tag(b"");
        let is_named_by = |value: &str, weakly| is_named(&strong, [value], weakly);
        for value in [strong.clone(), format!("\"x\", {strong}"), format!("\"y\" , {strong}"), "*".to_owned()] {
            assert!(is_named_by(&value, false), "{value}");
            assert!(is_named(&strong, ["\"y\"", value.as_str()], true), "{value}");
        }
        let weak = format!("W/{strong}");
        assert!(is_named_by(&weak, true) && !is_named_by(&weak, false));
        // Tags of others may have any characters between their quotes.
        let bare = strong.trim_matches('"');
        for value in ["\"x\"", "", "x", bare, "\"x,*,y\"", "\"x\", *", "W/*", "\u{fffd}"] {
            assert!(!is_named_by(value, true) && !is_named_by(value, false), "{value}");
        }
        assert!(is_named_by(" * ", true) && is_named_by("*", false));
    }
}

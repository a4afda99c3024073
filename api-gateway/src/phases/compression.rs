//! Compresses the responses of services as the client's `Accept-Encoding` allows (RFC 9110, section 12.5.3).

use std::{convert::Infallible, future::ready};

use axum::{
    body::{Body, HttpBody},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, header},
};
use tower::{ServiceExt, service_fn};
use tower_http::{CompressionLevel, compression::Compression};

/// Smallest body in bytes that is compressed: below it little is saved.
const MIN_BYTES: u64 = 1024;
/// Types that do not shrink, or whose pieces must arrive one by one.
const UNCOMPRESSED_TYPES: [&str; 8] = [
    "text/event-stream",
    "application/x-ndjson",
    "image/",
    "video/",
    "audio/",
    "font/",
    "application/zip",
    "application/gzip",
];
const SVG: &str = "image/svg+xml";

/// What of a request decides about compression: to be taken before the request is sent on.
pub struct Accepted(HeaderMap);

impl Accepted {
    /// The encodings that the client takes.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_ENCODING).iter();
        Self(values.map(|value| (header::ACCEPT_ENCODING, value.clone())).collect())
    }

    /// Compresses a response, if the client takes it so. The entity tag becomes weak then, since the bytes are others
    /// (RFC 9110, section 8.8.3.3).
    pub async fn compress(self, mut response: Response<Body>) -> Response<Body> {
        if !is_compressible(&response) {
            return response;
        }
        if self.0.is_empty() {
            response.headers_mut().append(header::VARY, header::ACCEPT_ENCODING.into());
            return response;
        }
        // Boxed: most clients of an API take no encoding, and each request would be as large as this.
        Box::pin(self.encode(response)).await
    }

    async fn encode(self, response: Response<Body>) -> Response<Body> {
        let mut request = Request::new(());
        *request.headers_mut() = self.0;
        let mut response = Some(response);
        let service = service_fn(move |_| ready(Ok::<_, Infallible>(response.take().expect("called once"))));
        let compression = Compression::new(service).quality(CompressionLevel::Fastest).compress_when(decided);
        match compression.oneshot(request).await {
            Ok(mut response) => {
                if response.headers().contains_key(header::CONTENT_ENCODING) {
                    weaken_tag(response.headers_mut());
                }
                response.map(Body::new)
            }
        }
    }
}

/// It was decided by [`is_compressible`].
fn decided(_: StatusCode, _: Version, _: &HeaderMap, _: &Extensions) -> bool {
    true
}

fn is_compressible(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (content_type, cache_control) = (text(header::CONTENT_TYPE), text(header::CACHE_CONTROL));
    let is_excluded = UNCOMPRESSED_TYPES.iter().any(|excluded| content_type.starts_with(excluded));
    // That of a response to HEAD, which has no body.
    let length = text(header::CONTENT_LENGTH).parse().ok().or_else(|| response.body().size_hint().exact());
    (!is_excluded || content_type == SVG)
        && length.is_none_or(|length| length >= MIN_BYTES)
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::CONTENT_RANGE)
        && !cache_control.contains("no-transform")
}

fn weaken_tag(headers: &mut HeaderMap) {
    let weak = match headers.get(header::ETAG).map(HeaderValue::as_bytes) {
        Some(strong) if !strong.starts_with(b"W/") => HeaderValue::from_bytes(&[b"W/", strong].concat()).ok(),
        _ => None,
    };
    if let Some(weak) = weak {
        headers.insert(header::ETAG, weak);
    }
}

/// Gives the entity tags of `If-Match` back the strength that [`Accepted::compress`] took from them: who edits what was read
/// compressed has no other.
pub fn restore_tags(headers: &mut HeaderMap) {
    let strong = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).and_then(|value| {
        value.contains("W/\"").then(|| HeaderValue::try_from(value.replace("W/\"", "\"")).ok()).flatten()
    });
    if let Some(strong) = strong {
        headers.insert(header::IF_MATCH, strong);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(pairs: &[(&'static str, &'static str)], length: usize) -> Response<Body> {
        let mut response = Response::new(Body::from("x".repeat(length)));
        for (name, value) in pairs {
            response.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        response
    }

    async fn encoding(accept: &'static str, response: Response<Body>) -> (Option<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
        let response = Accepted::from_headers(&headers).compress(response).await;
        let text = |name| response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
        (text(header::CONTENT_ENCODING), text(header::VARY))
    }

    #[tokio::test]
    async fn the_client_chooses_and_caches_are_told() {
        let vary = Some("accept-encoding".to_owned());
        for (accept, chosen) in [
            ("br", Some("br")),
            ("gzip", Some("gzip")),
            ("zstd", Some("zstd")),
            ("gzip;q=0, br", Some("br")),
            ("identity", None),
            ("compress", None),
            ("", None),
        ] {
            let json = response(&[("content-type", "application/json")], 2000);
            assert_eq!(encoding(accept, json).await, (chosen.map(str::to_owned), vary.clone()), "{accept}");
        }
    }

    #[tokio::test]
    async fn what_gains_nothing_or_must_not_change_is_left_alone() {
        let json = ("content-type", "application/json");
        for (pairs, length) in [
            (&[("content-type", "text/event-stream")][..], 2000),
            (&[("content-type", "application/x-ndjson")], 2000),
            (&[("content-type", "image/png")], 2000),
            (&[json, ("content-encoding", "gzip")], 2000),
            (&[json, ("content-range", "bytes 0-1/2")], 2000),
            (&[json, ("cache-control", "private, no-transform")], 2000),
            (&[json], 1000),
        ] {
            let before = response(pairs, length).headers().get(header::CONTENT_ENCODING).cloned();
            let (after, vary) = encoding("gzip", response(pairs, length)).await;
            assert_eq!((after.as_deref(), vary), (before.as_ref().and_then(|v| v.to_str().ok()), None), "{pairs:?}");
        }
    }

    #[tokio::test]
    async fn the_tag_of_a_compressed_response_is_weak_and_still_good_for_an_edit() {
        let mut accept = HeaderMap::new();
        accept.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br"));
        let tagged = response(&[("content-type", "application/json"), ("etag", "\"7\"")], 2000);
        let compressed = Accepted::from_headers(&accept).compress(tagged).await;
        let tag = compressed.headers()[header::ETAG].clone();
        assert_eq!(tag, "W/\"7\"");
        let mut edit = HeaderMap::from_iter([(header::IF_MATCH, tag)]);
        restore_tags(&mut edit);
        assert_eq!(edit[header::IF_MATCH], "\"7\"");
    }
}

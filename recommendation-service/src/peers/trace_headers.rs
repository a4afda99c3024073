//! The headers by which a call to a peer is tied to the request it is made for.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

const NAMES: [HeaderName; 2] = [HeaderName::from_static("x-request-id"), HeaderName::from_static("traceparent")];

/// `X-Request-Id` and `traceparent` of a request.
#[derive(Debug, Clone, Default)]
pub struct TraceHeaders([Option<HeaderValue>; 2]);

impl TraceHeaders {
    /// Those among the headers of a request.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self(NAMES.map(|name| headers.get(name).cloned()))
    }

    /// Headers to send on.
    pub fn to_map(&self) -> HeaderMap {
        NAMES.into_iter().zip(&self.0).filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

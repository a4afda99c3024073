//! One line a request.

use std::{net::IpAddr, time::Instant};

use axum::http::{HeaderValue, Method, StatusCode};

/// What is known of a request before it is answered.
pub struct Entry {
    /// Who asked.
    pub client: IpAddr,
    /// How.
    pub method: Method,
    /// For what; without the query, which may hold personal data.
    pub path: String,
    /// Under which id.
    pub request_id: HeaderValue,
    /// When.
    pub started: Instant,
}

impl Entry {
    /// Writes the line: `info`, or `warn` for an answer of 500 and above.
    pub fn write(&self, status: StatusCode) {
        let Self { client, method, .. } = self;
        // As a text, not as `Display`: the formats then escape what could forge a line.
        let path = self.path.as_str();
        let request_id = self.request_id.to_str().unwrap_or_default();
        let micros = self.started.elapsed().as_micros() as u64;
        let status = status.as_u16();
        if status >= 500 {
            tracing::warn!(%method, path, status, micros, %client, request_id, "request");
        } else {
            tracing::info!(%method, path, status, micros, %client, request_id, "request");
        }
    }
}

//! The span of a request, and its line in the access log.

use std::{net::IpAddr, time::Instant};

use axum::http::{HeaderValue, Method, StatusCode};
use tracing::{Span, field::Empty};

use crate::routing::Route;

use super::trace_context::TraceContext;

/// Logged as the status when the client hung up before its response, as nginx does.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Writes the line when it is dropped: the server drops a request whose client hangs up, and that has to be logged too.
pub struct AccessLog {
    client: IpAddr,
    method: Method,
    path: String,
    request_id: HeaderValue,
    trace: TraceContext,
    started: Instant,
    status: Option<StatusCode>,
    span: Span,
}

impl AccessLog {
    /// Starts the span. `path` comes without the query, which may hold personal data.
    pub fn start(
        client: IpAddr,
        method: Method,
        path: String,
        route: Route,
        request_id: HeaderValue,
        trace: TraceContext,
    ) -> Self {
        let span = tracing::info_span!(
            "request",
            request_id = request_id.to_str().unwrap_or_default(),
            method = method.as_str(),
            route = route.name(),
            trace_id = trace.trace_id(),
            status = Empty,
        );
        Self { client, method, path, request_id, trace, started: Instant::now(), status: None, span }
    }

    /// The span in which the request is handled.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Notes the status of the response, writes the line, and returns the request's id for the response.
    pub fn finish(mut self, status: StatusCode) -> HeaderValue {
        self.status = Some(status);
        self.request_id.clone()
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        let (client, method, trace_id) = (&self.client, &self.method, self.trace.trace_id());
        // As a text, not as `Display`: the log formats escape what could forge a line.
        let path = self.path.as_str();
        let request_id = self.request_id.to_str().unwrap_or_default();
        let micros = self.started.elapsed().as_micros() as u64;
        let status = self.status.map_or(CLIENT_CLOSED_REQUEST, |status| status.as_u16());
        self.span.record("status", status);
        if status >= 500 {
            tracing::warn!(parent: &self.span, %method, path, status, micros, %client, request_id, "request");
        } else {
            // Not within the span: writing its fields too would make the line of every request longer and slower.
            tracing::info!(parent: None, %method, path, status, micros, %client, request_id, trace_id, "request");
        }
    }
}

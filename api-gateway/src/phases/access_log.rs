//! The span of a request, its metrics, and its line in the access log, which is written when the response has ended.

use std::{
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};
use hyper::body::{Frame, SizeHint};
use tracing::{Span, field::Empty};

use crate::{
    metrics::{ActiveRequest, metrics},
    otlp,
    proxy::{Unanswered, Upstream},
    routing::Route,
};

use super::trace_context::TraceContext;

/// Logged as the status when the client hung up before its response, as nginx does.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// How long a service took until its response began, or until there was none. An extension of the response.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamTime(Duration);

/// Waits for the response of a service, and notes how long that took.
pub async fn timed(
    upstream: Upstream,
    method: Method,
    response: impl Future<Output = Response<Body>>,
) -> Response<Body> {
    let started = Instant::now();
    let mut response = response.await;
    let duration = started.elapsed();
    let outcome = match response.extensions().get() {
        Some(Unanswered(kind)) => Err(*kind),
        None => Ok(response.status().as_u16()),
    };
    metrics().record_client_request(upstream.name(), &method, outcome, duration);
    response.extensions_mut().insert(UpstreamTime(duration));
    response
}

/// Who ended a response before it was whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aborted {
    Client,
    Upstream,
}

/// Writes the line when it is dropped: with the body of the response, or with the request whose client hangs up.
pub struct AccessLog {
    client: IpAddr,
    method: Method,
    path: String,
    route: &'static str,
    request_id: HeaderValue,
    trace: TraceContext,
    started: Instant,
    status: Option<StatusCode>,
    upstream_time: Option<Duration>,
    /// Of the body, as handed to the connection.
    bytes: u64,
    /// `None` for a whole response.
    aborted: Option<Aborted>,
    span: Span,
    _active: ActiveRequest,
}

impl AccessLog {
    /// Starts the span, and names it to the services in `headers`. `path` comes without the query, which may hold personal data.
    pub fn start(
        client: IpAddr,
        method: Method,
        path: String,
        route: Route,
        request_id: HeaderValue,
        headers: &mut HeaderMap,
    ) -> Self {
        let (route, is_traced) = (route.name(), otlp::is_enabled());
        let known = (!is_traced).then(|| TraceContext::propagate(headers));
        let span = tracing::debug_span!(
            target: otlp::TRACE_SPAN,
            "request",
            request_id = request_id.to_str().unwrap_or_default(),
            method = method.as_str(),
            route,
            trace_id = known.as_ref().map(TraceContext::trace_id),
            status = Empty,
            "otel.name" = is_traced.then(|| format!("{method} {route}")),
            "otel.kind" = is_traced.then_some("server"),
        );
        let trace = known.unwrap_or_else(|| {
            let trace = TraceContext::propagate_from(&span, headers);
            span.record("trace_id", trace.trace_id());
            trace
        });
        let (status, upstream_time, bytes, aborted) = (None, None, 0, Some(Aborted::Client));
        let (started, _active) = (Instant::now(), metrics().begin_request());
        Self {
            client,
            method,
            path,
            route,
            request_id,
            trace,
            started,
            status,
            upstream_time,
            bytes,
            aborted,
            span,
            _active,
        }
    }

    /// The span in which the request is handled.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The request's id.
    pub fn request_id(&self) -> &HeaderValue {
        &self.request_id
    }

    /// Hands the line over to the body of the response.
    pub fn attach(mut self, response: Response<Body>) -> Response<Body> {
        let status = response.status();
        self.status = Some(status);
        self.upstream_time = response.extensions().get::<UpstreamTime>().map(|time| time.0);
        let has_no_body = self.method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || response.body().is_end_stream();
        let length = if has_no_body { Some(0) } else { content_length(response.headers(), response.body()) };
        response.map(|body| {
            let mut body = LoggedBody { body, length, log: self };
            body.count(0);
            Body::new(body)
        })
    }
}

/// The length that the response's framing promises; `None` for a chunked one.
fn content_length(headers: &HeaderMap, body: &Body) -> Option<u64> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    declared.and_then(|length| length.parse().ok()).or_else(|| body.size_hint().exact())
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        let (client, method, route, bytes) = (&self.client, &self.method, self.route, self.bytes);
        // As a text, not as `Display`: the log formats escape what could forge a line.
        let path = self.path.as_str();
        let (request_id, trace_id) = (self.request_id.to_str().unwrap_or_default(), self.trace.trace_id());
        let duration = self.started.elapsed();
        let micros = duration.as_micros() as u64;
        let upstream_micros = self.upstream_time.map(|time| time.as_micros() as u64);
        let status = self.status.map_or(CLIENT_CLOSED_REQUEST, |status| status.as_u16());
        let aborted = self.aborted.map(|by| if by == Aborted::Client { "client" } else { "upstream" });
        metrics().record_request(method, route.into(), status, duration);
        self.span.record("status", status);
        macro_rules! log {
            ($level:ident, $parent:expr) => {
                tracing::$level!(
                    parent: $parent,
                    %method, path, route, status, bytes, micros, upstream_micros, aborted, %client, request_id, trace_id, "request"
                )
            };
        }
        if status >= 500 || self.aborted == Some(Aborted::Upstream) {
            log!(warn, &self.span);
        } else {
            // Not an event of the span: a trace has these data already.
            log!(info, None);
        }
    }
}

/// A response body that counts what the connection takes of it. The connection stops as soon as it has all that was
/// promised, so that the end need not be seen.
struct LoggedBody {
    body: Body,
    length: Option<u64>,
    log: AccessLog,
}

impl LoggedBody {
    fn count(&mut self, bytes: usize) {
        self.log.bytes += bytes as u64;
        if self.length.is_some_and(|length| self.log.bytes >= length) || self.body.is_end_stream() {
            self.log.aborted = None;
        }
    }
}

impl HttpBody for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match &frame {
            Poll::Pending => {}
            Poll::Ready(None) => self.log.aborted = None,
            Poll::Ready(Some(Ok(frame))) => self.count(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(Some(Err(_))) => self.log.aborted = Some(Aborted::Upstream),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

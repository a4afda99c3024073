//! Identical in every service (a test compares the copies).
//!
//! Traces for an OpenTelemetry collector: OTLP over HTTP in protobuf, when `OTEL_EXPORTER_OTLP_ENDPOINT` names one.
//! Otherwise nothing here is in the way: spans of the target [`TRACE_SPAN`] are disabled, and no header is touched.

mod exporter;
mod headers;

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::http::HeaderMap;
use opentelemetry::{KeyValue, propagation::TextMapPropagator, trace::TracerProvider};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use tracing::{Span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;

use crate::config::env::Env;

use self::{
    exporter::Exporter,
    headers::{HeaderReader, HeaderWriter},
};

/// Target of the spans that are made for traces, such as those of calls to PostgreSQL, Redis and other services. They are of
/// the level `DEBUG` or `TRACE`, so that logs leave them out.
pub const TRACE_SPAN: &str = "trace_span";

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Longest wait for the collector, also at the end of the process.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);

static IS_ENABLED: AtomicBool = AtomicBool::new(false);

/// Reads `OTEL_EXPORTER_OTLP_ENDPOINT`: the address of a collector on the private network, without `/v1/traces`.
pub fn endpoint_from_env(env: &mut Env) -> Option<String> {
    let endpoint = env.optional(ENDPOINT)?;
    let authority = endpoint.strip_prefix("http://");
    if authority.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
        env.invalid(ENDPOINT, "an address such as http://localhost:4318");
    }
    Some(endpoint.trim_end_matches('/').to_owned())
}

/// Sends what is left when it is dropped, at the end of the process.
pub struct TraceExport(SdkTracerProvider);

impl Drop for TraceExport {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(EXPORT_TIMEOUT) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Starts a thread that sends spans in batches to the collector at `endpoint`.
///
/// # Errors
/// When the operating system refuses.
pub fn start(endpoint: &str) -> io::Result<(TraceExport, SdkTracer)> {
    let exporter = Exporter::new(format!("{endpoint}/v1/traces"))?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).with_attribute(version).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    IS_ENABLED.store(true, Ordering::Relaxed);
    Ok((TraceExport(provider), tracer))
}

/// Which spans are sent.
pub fn filter() -> Targets {
    Targets::new().with_default(LevelFilter::INFO).with_target(TRACE_SPAN, LevelFilter::TRACE)
}

/// Whether traces are sent.
pub fn is_enabled() -> bool {
    IS_ENABLED.load(Ordering::Relaxed)
}

/// Makes `span` a child of the one that `traceparent` in the headers names, and puts it there in its place. Does nothing
/// unless traces are sent.
pub fn continue_trace(span: &Span, headers: &mut HeaderMap) {
    if !is_enabled() {
        return;
    }
    let propagator = TraceContextPropagator::new();
    // Fails for a span that has begun already, which it has not.
    let _ = span.set_parent(propagator.extract(&HeaderReader(headers)));
    propagator.inject_context(&span.context(), &mut HeaderWriter(headers));
}

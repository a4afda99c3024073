//! Identical in every service (a test compares the copies).
//!
//! Logging: what is written, and in which form; and the export of traces.

use std::{
    io::{BufWriter, Result, Write, stdout},
    thread::sleep,
    time::Duration,
};

use tracing::Subscriber;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, Layer, filter::LevelFilter, fmt, prelude::*, registry::LookupSpan};

use crate::{
    config::env::Env,
    otlp::{self, TraceExport},
};

/// Lines that may wait to be written; beyond them, whoever logs waits.
const MAX_WAITING_LINES: usize = 8192;
/// Most bytes of lines that are written at once.
const WRITE_BYTES: usize = 64 * 1024;
/// Pause between two writes, and so the longest time for which a line waits.
const WRITE_PAUSE: Duration = Duration::from_millis(5);

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Logging settings.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// `LOG_LEVEL`: a level (`error`, `warn`, `info`, `debug`, `trace`) or filter directives such as `info,sqlx=debug`.
    pub filter: String,
    /// `LOG_FORMAT`: `text` or `json`.
    pub format: LogFormat,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: where traces are sent, if anywhere.
    pub otlp_endpoint: Option<String>,
}

impl TelemetryConfig {
    /// Reads `LOG_LEVEL` (`info`), `LOG_FORMAT` (`text`) and `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn from_env(env: &mut Env) -> Self {
        let filter = env.text("LOG_LEVEL", "info");
        if !is_valid_filter(&filter) {
            env.invalid("LOG_LEVEL", "a level such as info, or filter directives such as info,sqlx=debug");
        }
        let format = match env.text("LOG_FORMAT", "text").as_str() {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => {
                env.invalid("LOG_FORMAT", "text or json");
                LogFormat::Text
            }
        };
        Self { filter, format, otlp_endpoint: otlp::endpoint_from_env(env) }
    }
}

/// A word alone must be a level: `EnvFilter` would read any other one, such as `loud`, as the name of a module, and log
/// nothing else.
fn is_valid_filter(filter: &str) -> bool {
    let is_level = |directive: &str| directive.trim().parse::<LevelFilter>().is_ok();
    filter.split(',').all(|directive| directive.contains(['=', '[', ']']) || is_level(directive))
        && EnvFilter::builder().parse(filter).is_ok()
}

/// Logging and traces; what is left of them is written and sent when it is dropped.
pub struct Telemetry {
    _traces: Option<TraceExport>,
    _log: WorkerGuard,
}

/// Starts logging to standard output for the whole process, and sending traces where that is asked for; the result must live
/// as long. Lines are written by a thread of its own, many at once under load: writing each where it arises costs a
/// busy gateway more than a tenth of its throughput. A second call changes nothing.
///
/// # Errors
/// When traces cannot be sent.
pub fn init(config: &TelemetryConfig) -> Result<Telemetry> {
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let output = NonBlockingBuilder::default().lossy(false).buffered_lines_limit(MAX_WAITING_LINES).thread_name("log");
    let (output, log) = output.finish(PausingWriter(BufWriter::with_capacity(WRITE_BYTES, stdout())));
    let traces = match &config.otlp_endpoint {
        None => {
            let logs = log_layer(config.format, output);
            // A second call finds a logger in place; keeping the first one is right.
            let _ = tracing_subscriber::registry().with(filter).with(logs).try_init();
            None
        }
        Some(endpoint) => {
            let (export, tracer) = otlp::start(endpoint)?;
            // Each with a filter of its own: what is sent does not depend on what is logged.
            let spans = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
            let spans = spans.with_filter(otlp::filter());
            let logs = log_layer(config.format, output).with_filter(filter);
            let _ = tracing_subscriber::registry().with(spans).with(logs).try_init();
            Some(export)
        }
    };
    log_panics();
    Ok(Telemetry { _traces: traces, _log: log })
}

/// Writes what it has, then pauses: lines that arise meanwhile are written together, and need not wake the thread.
struct PausingWriter<W>(W);

impl<W: Write> Write for PausingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()?;
        sleep(WRITE_PAUSE);
        Ok(())
    }
}

fn log_layer<S>(format: LogFormat, output: NonBlocking) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_ansi(false).with_writer(output);
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, panic = panic.payload_as_str().unwrap_or("no message"), "panicked");
    }));
}

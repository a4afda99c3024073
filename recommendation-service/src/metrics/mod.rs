//! Identical in every service (a test compares the copies).
//!
//! What Prometheus reads. Names, units and buckets are those of OpenTelemetry's semantic conventions where they have one
//! (HTTP: <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>, databases: `.../database/database-metrics/`).
//! One registry for the process: what is counted does not depend on which part of it counts.

mod computed_gauge;
pub mod exposition;

use std::{
    borrow::Cow,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use axum::http::Method;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use self::computed_gauge::ComputedGauge;
pub use self::computed_gauge::Reading;

/// Upper bounds in seconds for HTTP.
const HTTP_BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Upper bounds in seconds for databases.
const DATABASE_BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// A family of histograms.
type Histograms<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

/// Everything that is measured in every service.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Histograms<RequestLabels>,
    active_requests: Gauge,
    client_requests: Histograms<ClientLabels>,
    operations: Histograms<OperationLabels>,
    cache_lookups: Family<CacheLabels, Counter>,
    open_breakers: Family<BreakerLabels, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    http_request_method: &'static str,
    http_route: Cow<'static, str>,
    http_response_status_code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClientLabels {
    server_address: &'static str,
    http_request_method: &'static str,
    http_response_status_code: Option<u16>,
    error_type: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    db_system_name: &'static str,
    db_operation_name: Option<&'static str>,
    error_type: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BreakerLabels {
    breaker: &'static str,
}

/// The metrics of this process.
pub fn metrics() -> &'static Metrics {
    &METRICS
}

impl Metrics {
    fn new() -> Self {
        let http: fn() -> Histogram = || Histogram::new(HTTP_BUCKETS);
        let database: fn() -> Histogram = || Histogram::new(DATABASE_BUCKETS);
        let this = Self {
            registry: Mutex::new(Registry::default()),
            requests: Family::new_with_constructor(http),
            active_requests: Gauge::default(),
            client_requests: Family::new_with_constructor(http),
            operations: Family::new_with_constructor(database),
            cache_lookups: Family::default(),
            open_breakers: Family::default(),
        };
        this.with_registry(|registry| {
            let (requests, clients) = (this.requests.clone(), this.client_requests.clone());
            let text = "Duration of the requests that were answered";
            registry.register_with_unit("http_server_request_duration", text, Unit::Seconds, requests);
            let text = "Requests that are being answered";
            registry.register("http_server_active_requests", text, this.active_requests.clone());
            let text = "Duration of requests to other services until their response began";
            registry.register_with_unit("http_client_request_duration", text, Unit::Seconds, clients);
            let text = "Duration of calls to PostgreSQL and Redis, with the wait for a connection";
            let operations = this.operations.clone();
            registry.register_with_unit("db_client_operation_duration", text, Unit::Seconds, operations);
            registry.register("cache_lookups", "Answers looked up in a cache", this.cache_lookups.clone());
            let text = "Circuit breakers that are open: what they guard counts as down";
            registry.register("circuit_breaker_open", text, this.open_breakers.clone());
        });
        this
    }

    /// Registers further metrics.
    pub fn with_registry<T>(&self, register: impl FnOnce(&mut Registry) -> T) -> T {
        register(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Registers a gauge that is computed when it is read: values with their labels.
    pub fn compute_gauge(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> Vec<Reading> + Send + Sync + 'static,
    ) {
        let gauge = ComputedGauge::new(name, help, read);
        self.with_registry(|registry| registry.register_collector(Box::new(gauge)));
    }

    /// Notes a request that was answered.
    pub fn record_request(&self, method: &Method, route: Cow<'static, str>, status: u16, duration: Duration) {
        let labels = RequestLabels {
            http_request_method: method_name(method),
            http_route: route,
            http_response_status_code: status,
        };
        self.requests.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// Counts a request as active until the guard is dropped.
    pub fn begin_request(&'static self) -> ActiveRequest {
        self.active_requests.inc();
        ActiveRequest(&self.active_requests)
    }

    /// Notes a request to the service `server`, with its status or the kind of error.
    pub fn record_client_request(
        &self,
        server: &'static str,
        method: &Method,
        outcome: Result<u16, &'static str>,
        duration: Duration,
    ) {
        let labels = ClientLabels {
            server_address: server,
            http_request_method: method_name(method),
            http_response_status_code: outcome.ok(),
            error_type: outcome.err(),
        };
        self.client_requests.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// Notes a call to `system` (`postgresql` or `redis`), with the kind of error if it failed.
    pub fn record_operation(
        &self,
        system: &'static str,
        operation: Option<&'static str>,
        error: Option<&'static str>,
        duration: Duration,
    ) {
        let labels = OperationLabels { db_system_name: system, db_operation_name: operation, error_type: error };
        self.operations.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// Counts a lookup in the cache of that name.
    pub fn record_cache_lookup(&self, cache: &'static str, is_hit: bool) {
        let result = if is_hit { "hit" } else { "miss" };
        self.cache_lookups.get_or_create(&CacheLabels { cache, result }).inc();
    }

    /// The number of open breakers of that name; a part that has one adds and takes away 1.
    pub fn open_breakers(&self, breaker: &'static str) -> Gauge {
        self.open_breakers.get_or_create_owned(&BreakerLabels { breaker })
    }
}

/// A request that is being answered.
pub struct ActiveRequest(&'static Gauge);

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The method, or `_OTHER`: clients may invent any number of them.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "_OTHER",
    }
}

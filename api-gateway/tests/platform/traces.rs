//! One request is one trace at a collector: gateway, service, PostgreSQL and Redis.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message;

use crate::services::Platform;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A span as it was sent.
#[derive(Debug, Clone)]
struct Span {
    service: String,
    name: String,
    id: String,
    parent: String,
    /// `postgresql` or `redis` for a call to it.
    system: Option<String>,
}

/// A collector that keeps the spans of one trace.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Starts listening; its address.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let keeper = collector.clone();
        let app = Router::new().route("/v1/traces", post(async move |body: Bytes| keeper.keep(body)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (collector, address)
    }

    fn keep(&self, body: Bytes) -> StatusCode {
        let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
        let mut kept = self.0.lock().expect("nobody panics with it");
        for resource in request.resource_spans {
            let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
            let service = text(&attributes, "service.name").unwrap_or_default();
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                if hex(&span.trace_id) == TRACE {
                    kept.push(Span {
                        service: service.clone(),
                        system: text(&span.attributes, "db.system.name"),
                        name: span.name,
                        id: hex(&span.span_id),
                        parent: hex(&span.parent_span_id),
                    });
                }
            }
        }
        StatusCode::OK
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value?;
    if let Value::StringValue(text) = value { Some(text) } else { None }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether it is the span in which a service handled the request.
fn is_server(span: &Span, service: &str) -> bool {
    span.service == service && span.name.starts_with("GET ")
}

#[tokio::test]
async fn a_request_is_one_trace_from_the_gateway_to_postgresql_and_redis() {
    let (collector, address) = Collector::start().await;
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let platform = Platform::with_catalogue(&settings).await;
    let request = platform.http.get(platform.url("/api/v1/movies/1")).bearer_auth("hunter2");
    let response = request.header("traceparent", format!("00-{TRACE}-{PARENT}-01")).send().await;
    assert_eq!(response.expect("an answer").status(), StatusCode::OK);
    platform
        .until("all spans have arrived", Duration::from_secs(10), async || {
            let spans = collector.spans();
            let systems: HashSet<_> = spans.iter().filter_map(|span| span.system.as_deref()).collect();
            // The span of a request ends, and is sent, after those of its calls.
            let mut services = ["api-gateway", "movie-service"].into_iter();
            let is_whole = services.all(|name| spans.iter().any(|span| is_server(span, name)));
            is_whole && systems.contains("postgresql") && systems.contains("redis")
        })
        .await;
    let spans = collector.spans();
    let by_id: HashMap<_, _> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    let server = |service: &str| {
        let of_service = spans.iter().find(|span| is_server(span, service));
        of_service.unwrap_or_else(|| panic!("{service} in {spans:?}"))
    };
    let (gateway, movies) = (server("api-gateway"), server("movie-service"));
    assert_eq!((gateway.parent.as_str(), gateway.name.as_str()), (PARENT, "GET movie-service"));
    assert_eq!((&movies.parent, movies.name.as_str()), (&gateway.id, "GET /api/v1/movies/{id}"));
    for call in spans.iter().filter(|span| span.system.is_some()) {
        let ancestors = std::iter::successors(Some(call), |span| by_id.get(span.parent.as_str()).copied());
        let names: Vec<_> = ancestors.map(|span| span.service.as_str()).collect();
        assert_eq!(names.last(), Some(&"api-gateway"), "{call:?} in {spans:?}");
    }
    let is_limit = |span: &&Span| span.service == "api-gateway" && span.system.as_deref() == Some("redis");
    assert_eq!(spans.iter().filter(is_limit).map(|span| &span.parent).collect::<Vec<_>>(), [&gateway.id]);
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    assert!(names.iter().any(|name| *name == "read a movie"), "{names:?}");
    assert!(!format!("{spans:?}").contains("hunter2"));
}

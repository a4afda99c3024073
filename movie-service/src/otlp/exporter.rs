//! Identical in every service (a test compares the copies).
//!
//! Sends spans to a collector. Own code, since `opentelemetry-otlp` brings a second HTTP client or an adapter as long as this.

use std::{fmt, io, time::Duration};

use axum::{
    body::Body,
    http::{Request, header},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use prost::Message;
use tokio::{runtime::Runtime, time::timeout};

/// Longest wait for the collector.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The exporter. The thread that it works on belongs to no runtime, so it drives one while it waits.
#[derive(Debug)]
pub struct Exporter {
    runtime: Runtime,
    client: Client<HttpConnector, Body>,
    url: String,
    resource: ResourceAttributesWithSchema,
}

impl Exporter {
    /// Sends nothing yet.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn new(url: String) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // A kept connection would not be looked after between two batches.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Ok(Self { runtime, client, url, resource: ResourceAttributesWithSchema::default() })
    }

    fn send(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let request = Request::post(&self.url).header(header::CONTENT_TYPE, "application/x-protobuf");
        let request = request.body(Body::from(body)).map_err(failure)?;
        // The timer belongs to the runtime.
        let response = self.runtime.block_on(async { timeout(TIMEOUT, self.client.request(request)).await });
        let status = response.map_err(|_| OTelSdkError::Timeout(TIMEOUT))?.map_err(failure)?.status();
        if status.is_success() { Ok(()) } else { Err(failure(format!("the collector answered {status}"))) }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.send(batch).inspect_err(|error| tracing::debug!(%error, "traces were not sent"))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

fn failure(error: impl fmt::Display) -> OTelSdkError {
    OTelSdkError::InternalFailure(error.to_string())
}

//! Identical in every service (a test compares the copies).
//!
//! `GET /metrics` on an address of its own, which clients of the service need not reach.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::encoding::text::encode;
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    config::env::Env,
    error::route_not_found,
    metrics::metrics,
    server::{self, ServerConfig},
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Pause between two attempts to take the address, which the process before this one may still hold.
const RETRY: Duration = Duration::from_secs(1);
/// Scrapers that may be connected.
const MAX_CONNECTIONS: usize = 16;

/// Where metrics are shown: `METRICS_ADDR`; `None` for `off`.
#[derive(Debug, Clone, Copy)]
pub struct MetricsConfig(pub Option<SocketAddr>);

impl MetricsConfig {
    /// Reads the setting; `port` is the default of this service, on this machine only.
    pub fn from_env(env: &mut Env, port: u16) -> Self {
        if env.optional("METRICS_ADDR").as_deref() == Some("off") {
            return Self(None);
        }
        let default = SocketAddr::from(([127, 0, 0, 1], port));
        Self(Some(env.parsed("METRICS_ADDR", default, "an address such as 127.0.0.1:9080, or off")))
    }
}

/// Answers scrapers until `stop`. An address that is taken is waited for: a service must not fail for its metrics.
pub async fn serve(config: MetricsConfig, limits: ServerConfig, stop: CancellationToken) {
    let Some(address) = config.0 else { return };
    let Some(listener) = stop.run_until_cancelled(listen(address)).await else { return };
    let app = Router::new().route("/metrics", get(show)).fallback(route_not_found);
    let limits = ServerConfig { address, max_connections: MAX_CONNECTIONS, ..limits };
    server::serve(listener, app, &limits, stop).await;
}

async fn listen(address: SocketAddr) -> TcpListener {
    let mut is_first = true;
    loop {
        match server::bind(address, false).and_then(server::BoundSocket::listen) {
            Ok(listener) => {
                tracing::info!(%address, "metrics at /metrics");
                return listener;
            }
            Err(error) if is_first => {
                tracing::warn!(%error, "no metrics yet; METRICS_ADDR names another address, or off")
            }
            Err(_) => {}
        }
        is_first = false;
        sleep(RETRY).await;
    }
}

async fn show() -> Response {
    let mut text = String::new();
    match metrics().with_registry(|registry| encode(&mut text, registry)) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

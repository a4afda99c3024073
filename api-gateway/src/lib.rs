//! api-gateway: the entry to the platform. It authenticates, limits and forwards requests.
//!
//! [`gateway::Gateway`] handles a request with the help of `routing` (which service), `phases` (what it passes),
//! `service` (the rate limit), `proxy` (forwarding) and `handler` (the gateway's own routes).

pub mod auth;
pub mod config;
pub mod connection_slots;
pub mod database;
pub mod drain_body;
pub mod error;
pub mod error_code;
pub mod gateway;
pub mod gateway_metrics;
pub mod handler;
pub mod http2;
pub mod lifecycle;
pub mod metrics;
pub mod otlp;
pub mod phases;
pub mod proxy;
pub mod refusal_bodies;
pub mod routing;
pub mod server;
pub mod service;
pub mod stall_timeout;
pub mod telemetry;
pub mod workers;

use std::sync::Arc;

use axum::Router;
use tokio::{net::TcpListener, runtime::Handle};

use crate::{
    auth::{AuthSetupError, Authenticator},
    config::Config,
    database::redis::{RedisConfig, RedisLink},
    gateway::Gateway,
    handler::Dependencies,
    lifecycle::Lifecycle,
    proxy::{Proxy, Services},
    server::Worker,
    service::limiter::{Limiter, LocalCounters},
};

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address of Redis.
    #[error("REDIS_ADDR cannot be used")]
    Redis(#[source] ::redis::RedisError),
    /// The port.
    #[error(transparent)]
    Bind(#[from] server::BindError),
    /// The keys that tokens are verified with.
    #[error(transparent)]
    Auth(#[from] AuthSetupError),
    /// Signal handlers or threads.
    #[error("the operating system refused")]
    System(#[from] std::io::Error),
}

/// Runs the gateway until SIGTERM or SIGINT. Returns whether everything in flight was finished.
///
/// # Errors
/// [`StartError`] when it cannot start.
pub async fn run(config: &Config) -> Result<bool, StartError> {
    let lifecycle = Lifecycle::new();
    lifecycle.stop_on_signals()?;
    let listener = server::bind(config.server.address, config.server.reuse_port)?.listen()?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    lifecycle.spawn(metrics::exposition::serve(config.metrics, config.server.clone(), lifecycle.stop_token()));
    serve(config, listener, &lifecycle).await
}

/// Serves requests on `listener` until `lifecycle` is stopped, then drains.
///
/// # Errors
/// [`StartError`] when it cannot start.
pub async fn serve(config: &Config, listener: TcpListener, lifecycle: &Lifecycle) -> Result<bool, StartError> {
    let threads = workers::start()?;
    let authenticator = Authenticator::new(&config.auth, lifecycle).await?;
    let services = Services::new(&config.upstreams, lifecycle);
    let shared = Shared { docs: handler::docs_routes(), authenticator, local_counters: Arc::default(), services };
    let mut workers = Vec::new();
    for thread in &threads {
        let worker = thread.runtime().spawn(build_worker(config.clone(), lifecycle.clone(), shared.clone()));
        workers.push(worker.await.map_err(std::io::Error::from)??);
    }
    let stop = lifecycle.delayed_stop_token(config.server.shutdown_delay);
    let served = server::serve_on(listener, workers, &config.server, stop).await;
    let limit = config.server.shutdown_delay + config.server.shutdown_timeout;
    let drained = lifecycle.drain(lifecycle.deadline(limit)).await;
    threads.into_iter().for_each(workers::WorkerThread::stop);
    tracing::info!("Redis closed, stopped");
    Ok(served && drained)
}

/// What all workers have in common.
#[derive(Clone)]
struct Shared {
    /// Swagger UI and the specification.
    docs: Router,
    /// What verifies tokens.
    authenticator: Authenticator,
    /// What counts while Redis is away.
    local_counters: Arc<LocalCounters>,
    /// The load and health of the services.
    services: Services,
}

/// Everything that handles requests on one thread: it has connections to Redis and the services of its own, so that a
/// request never changes threads.
async fn build_worker(config: Config, lifecycle: Lifecycle, shared: Shared) -> Result<Worker<Gateway>, StartError> {
    // A request may wait for a call to Redis before the one that counts it.
    let redis = RedisConfig { timeout: config.redis.timeout / 2, ..config.redis.clone() };
    let redis = RedisLink::connect(&redis, &lifecycle).await.map_err(StartError::Redis)?;
    let limiter = Limiter::new(config.rate_limit.clone(), redis.clone(), shared.local_counters, &lifecycle);
    let proxy = Proxy::new(shared.services, &config.upstreams, &lifecycle);
    let dependencies = Dependencies::new(redis, config.upstreams.clone(), lifecycle);
    let app = Gateway::new(config, shared.authenticator, limiter, proxy, handler::routes(dependencies, shared.docs));
    Ok(Worker { runtime: Handle::current(), app })
}

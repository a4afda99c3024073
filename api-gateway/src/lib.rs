//! api-gateway: the one way in; authentication, rate limit and forwarding.
//!
//! The way of a request is [`gateway::Gateway`]; the rest are its parts: `routing` (where to), `middleware` (what it
//! passes), `service` (the limit itself), `proxy` (there and back) and `handler` (what the gateway answers itself).

pub mod config;
pub mod database;
pub mod drain_body;
pub mod error;
pub mod gateway;
pub mod handler;
pub mod lifecycle;
pub mod middleware;
pub mod proxy;
pub mod routing;
pub mod server;
pub mod service;
pub mod stall_timeout;
pub mod telemetry;
pub mod workers;

use tokio::net::TcpListener;

use crate::{
    config::Config, database::redis::RedisLink, gateway::Gateway, lifecycle::Lifecycle, server::Worker,
    service::limiter::Limiter,
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
    /// Signal handlers or threads.
    #[error("the operating system refused")]
    System(#[from] std::io::Error),
}

/// Runs the gateway until SIGTERM or SIGINT. Says whether everything in flight was finished.
///
/// # Errors
/// [`StartError`] when it cannot start.
pub async fn run(config: &Config) -> Result<bool, StartError> {
    let lifecycle = Lifecycle::new();
    lifecycle.stop_on_signals()?;
    let listener = server::bind(config.server.address)?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    serve(config, listener, &lifecycle).await
}

/// Answers requests on `listener` until `lifecycle` is stopped, then drains.
///
/// # Errors
/// [`StartError`] when it cannot start.
pub async fn serve(config: &Config, listener: TcpListener, lifecycle: &Lifecycle) -> Result<bool, StartError> {
    let threads = workers::start()?;
    let workers = threads.iter().map(|thread| build_worker(config, thread, lifecycle)).collect::<Result<_, _>>()?;
    let served = server::serve_on(listener, workers, &config.server, lifecycle.stop_token()).await;
    let drained = lifecycle.drain(lifecycle.deadline(config.server.shutdown_timeout)).await;
    threads.into_iter().for_each(workers::WorkerThread::stop);
    tracing::info!("Redis closed, stopped");
    Ok(served && drained)
}

/// Everything that answers requests on one thread: its own connections to Redis and to the services, so that a
/// request never changes threads.
fn build_worker(
    config: &Config,
    thread: &workers::WorkerThread,
    lifecycle: &Lifecycle,
) -> Result<Worker<Gateway>, StartError> {
    let runtime = thread.runtime();
    let _entered = runtime.enter();
    let redis = RedisLink::new(&config.redis, lifecycle).map_err(StartError::Redis)?;
    let limiter = Limiter::new(config.rate_limit, redis.clone(), lifecycle);
    let app = Gateway::new(config.clone(), limiter, handler::routes(redis));
    Ok(Worker { runtime: runtime.clone(), app })
}

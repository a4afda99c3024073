//! What the tests have in common: the real gateway, stand-ins for the services, raw HTTP, the real Redis.

pub mod client;
pub mod gateway;
pub mod program;
pub mod proxy;
pub mod redis;
pub mod redis_server;
pub mod upstream;

use std::{future::Future, time::Duration};

pub use client::{Client, TestResponse, get, request, send};
pub use gateway::{GatewayBuilder, TestGateway};
pub use proxy::Proxy;
pub use redis::TestRedis;
pub use redis_server::RedisServer;
pub use upstream::{EchoService, ScriptedService};

/// How long anything may take before a test fails.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// Waits until `holds`, and fails when it does not come about in time.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(WAIT_TIMEOUT, waiting).await.unwrap_or_else(|_| panic!("did not come about: {what}"));
}

/// `work`, or a failure when it takes too long.
pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(WAIT_TIMEOUT, work).await.unwrap_or_else(|_| panic!("took too long: {what}"))
}

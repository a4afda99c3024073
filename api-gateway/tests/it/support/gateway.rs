//! The real gateway on a free port.

use std::{collections::HashMap, net::SocketAddr};

use api_gateway::{
    StartError,
    config::{Config, env::Env},
    lifecycle::Lifecycle,
};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Client, TestRedis, soon};

/// Settings of a gateway that is still to be started.
pub struct GatewayBuilder {
    pub redis: TestRedis,
    settings: HashMap<String, String>,
    listen: &'static str,
}

impl GatewayBuilder {
    /// As configured by default, with a Redis database of its own, services that refuse connections, and long timeouts
    /// with a Redis that many tests share.
    pub async fn new() -> Self {
        Self::with_redis(TestRedis::new().await)
    }

    /// The same with the Redis database of another gateway.
    pub fn with_redis(redis: TestRedis) -> Self {
        let builder = Self { settings: HashMap::new(), listen: "127.0.0.1:0", redis: redis.clone() };
        ["MOVIE_SERVICE_URL", "USER_PREFERENCE_SERVICE_URL", "RECOMMENDATION_SERVICE_URL"]
            .into_iter()
            .fold(builder, |builder, name| builder.set(name, "http://127.0.0.1:1"))
            .set("MOVIE_SERVICE_METRICS_URL", "http://127.0.0.1:1")
            .set("USER_PREFERENCE_SERVICE_METRICS_URL", "http://127.0.0.1:1")
            .set("RECOMMENDATION_SERVICE_METRICS_URL", "http://127.0.0.1:1")
            .set("REDIS_ADDR", &redis.address)
            .set("REDIS_DB", redis.database)
            .set("REDIS_TIMEOUT_MS", 5000)
            .set("RATE_LIMIT_MAX", 1_000_000)
    }

    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn listen(mut self, address: &'static str) -> Self {
        self.listen = address;
        self
    }

    /// Where movie-service is.
    pub fn movies(self, upstream: SocketAddr) -> Self {
        self.set("MOVIE_SERVICE_URL", format!("http://{upstream}"))
    }

    pub fn config(&self) -> Config {
        let settings = self.settings.clone();
        Config::from_env(Env::from_fn(move |name| settings.get(name).cloned())).unwrap()
    }

    pub async fn start(self) -> TestGateway {
        let config = self.config();
        let listener = TcpListener::bind(self.listen).await.unwrap();
        let (port, lifecycle) = (listener.local_addr().unwrap().port(), Lifecycle::new());
        let running = lifecycle.clone();
        let served = tokio::spawn(async move { api_gateway::serve(&config, listener, &running).await });
        TestGateway { address: SocketAddr::from(([127, 0, 0, 1], port)), lifecycle, served, redis: self.redis }
    }
}

/// A running gateway; stops when dropped.
pub struct TestGateway {
    pub address: SocketAddr,
    pub redis: TestRedis,
    lifecycle: Lifecycle,
    served: JoinHandle<Result<bool, StartError>>,
}

impl TestGateway {
    /// A connection to it.
    pub async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Asks it to stop, as SIGTERM does.
    pub fn stop(&self) {
        self.lifecycle.stop();
    }

    /// Waits until it has stopped; says whether everything was finished.
    pub async fn stopped(mut self) -> bool {
        soon("the gateway stops", &mut self.served).await.unwrap().unwrap()
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

//! The service in process.

use std::{collections::HashMap, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, request::Builder},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use recommendation_service::{
    App,
    config::{Config, env::Env},
    database::postgres::{Database, PostgresConfig},
    lifecycle::Lifecycle,
};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use serde_json::Value;
use sqlx::PgPool;
use tower::ServiceExt;

use super::{Peers, eventually};

/// The service with its database, cache and peers.
pub struct TestApp {
    pub app: App,
    pub peers: Peers,
    pub redis: MultiplexedConnection,
    pub pool: PgPool,
    router: recommendation_service::middleware::WrappedRouter,
}

/// An response, read to its end.
#[derive(Debug)]
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl TestResponse {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The ids of the recommended movies.
    pub fn movies(&self) -> Vec<i64> {
        let json = self.json();
        let list = json["recommendations"].as_array().unwrap_or_else(|| panic!("no list: {json}"));
        list.iter().map(|movie| movie["id"].as_i64().expect("an id")).collect()
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().expect("an error text").to_owned()
    }
}

/// Settings as the environment would give them, for a test's database, a Redis database of its own, and `peers`.
pub async fn settings(pool: &PgPool, peers: &Peers) -> HashMap<String, String> {
    let database = pool.connect_options();
    let (redis, _) = redis_address();
    let index = free_redis_database().await;
    let pairs = [
        ("DB_HOST", database.get_host().to_owned()),
        ("DB_PORT", database.get_port().to_string()),
        ("DB_USER", database.get_username().to_owned()),
        ("DB_NAME", database.get_database().expect("a database of its own").to_owned()),
        ("DB_MAX_CONNECTIONS", "4".to_owned()),
        ("DB_ACQUIRE_TIMEOUT_MS", "500".to_owned()),
        ("REDIS_ADDR", redis),
        ("REDIS_DB", index.to_string()),
        // Long timeouts, since tests share a machine with each other; those about a broken Redis say otherwise.
        ("REDIS_TIMEOUT_MS", "1000".to_owned()),
        ("MOVIE_SERVICE_URL", peers.url()),
        ("USER_PREFERENCE_SERVICE_URL", peers.url()),
        ("PEER_TIMEOUT_MS", "1000".to_owned()),
        ("PROFILE_TIMEOUT_MS", "1000".to_owned()),
        ("CATALOGUE_REFRESH_SECONDS", "1".to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The database of `pool`, with connections of its own, and a time limit of statements and of waits for a connection.
pub fn database(pool: &PgPool, timeout: Duration) -> Database {
    let options = pool.connect_options();
    let defaults = PostgresConfig::from_env(&mut Env::from_fn(|_| None), "");
    let config = PostgresConfig {
        host: options.get_host().to_owned(),
        port: options.get_port(),
        user: options.get_username().to_owned(),
        database: options.get_database().expect("a database of its own").to_owned(),
        max_connections: 6,
        acquire_timeout: timeout,
        statement_timeout: timeout,
        ..defaults
    };
    Database::new(&config)
}

/// A connection to the Redis that `settings` name.
async fn redis_connection(settings: &HashMap<String, String>) -> MultiplexedConnection {
    let (_, url) = redis_address();
    let client = redis::Client::open(format!("{url}/{}", settings["REDIS_DB"])).expect("TEST_REDIS_URL");
    client.get_multiplexed_async_connection().await.expect("Redis is needed for this test")
}

fn redis_address() -> (String, String) {
    let url = std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL must name a Redis server");
    let url = url.trim_end_matches('/').to_owned();
    (url.trim_start_matches("redis://").to_owned(), url)
}

/// Every test takes the next database, so that tests do not meet.
async fn free_redis_database() -> i64 {
    let (_, url) = redis_address();
    let client = redis::Client::open(url.clone()).expect("TEST_REDIS_URL");
    let mut redis = client.get_multiplexed_async_connection().await.expect("Redis is needed for this test");
    let (_, databases): (String, i64) =
        redis::cmd("CONFIG").arg("GET").arg("databases").query_async(&mut redis).await.expect("its settings");
    let next: i64 = redis.incr("test:next_database", 1).await.expect("a number");
    let index = next % (databases - 1).min(19_999) + 1;
    let client = redis::Client::open(format!("{url}/{index}")).expect("TEST_REDIS_URL");
    let mut redis = client.get_multiplexed_async_connection().await.expect("Redis is needed for this test");
    redis::cmd("FLUSHDB").query_async::<()>(&mut redis).await.expect("an empty database");
    index
}

fn config(settings: &HashMap<String, String>) -> Config {
    let settings = settings.clone();
    Config::from_env(Env::from_fn(move |name| settings.get(name).cloned())).expect("good settings")
}

impl Drop for TestApp {
    /// Background tasks would keep connections to the test's database, which is to be dropped: PostgreSQL waits for them for
    /// five seconds.
    fn drop(&mut self) {
        self.app.lifecycle.stop();
        self.app.lists.close();
    }
}

impl TestApp {
    /// The service with a loaded catalogue.
    pub async fn start(pool: PgPool, peers: Peers) -> Self {
        let settings = settings(&pool, &peers).await;
        let this = Self::with(pool, peers, settings).await;
        eventually("the first copy of the catalogue", async || this.app.catalogue.is_loaded()).await;
        this
    }

    /// The service with these settings, not waited for.
    pub async fn with(pool: PgPool, peers: Peers, settings: HashMap<String, String>) -> Self {
        let config = config(&settings);
        let app = App::new(&config, Lifecycle::new(), Database::new(&config.postgres)).await.expect("it starts");
        Self { router: app.router(&config), redis: redis_connection(&settings).await, app, peers, pool }
    }

    /// The same with a pool of its own, as the settings say, instead of the test's.
    pub async fn connect(pool: PgPool, peers: Peers, settings: HashMap<String, String>) -> Self {
        let config = config(&settings);
        let app = App::connect(&config, Lifecycle::new()).await.expect("it starts");
        Self { router: app.router(&config), redis: redis_connection(&settings).await, app, peers, pool }
    }

    pub async fn request(&self, method: Method, path: &str) -> TestResponse {
        self.send(Request::builder().method(method).uri(path)).await
    }

    /// A request with a JSON body, its content type unsaid.
    pub async fn send_json(&self, method: Method, path: &str, body: &str) -> TestResponse {
        let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned()));
        self.send_whole(request.expect("a request")).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> TestResponse {
        let request = Request::builder().uri(path);
        self.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> TestResponse {
        let request = Request::builder().method(Method::POST).uri(path).body(Body::from(body.to_string()));
        self.send_whole(request.expect("a request")).await
    }

    async fn send(&self, request: Builder) -> TestResponse {
        self.send_whole(request.body(Body::empty()).expect("a request")).await
    }

    async fn send_whole(&self, request: Request<Body>) -> TestResponse {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        TestResponse { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.request(Method::GET, path).await
    }

    /// Recommendations for a user; must succeed.
    pub async fn recommend(&self, user: i64) -> TestResponse {
        let response = self.get(&format!("/api/v1/users/{user}/recommendations")).await;
        assert_eq!(response.status, StatusCode::OK, "{:?}", response.body);
        response
    }

    /// The stored snapshot of a user: movies and scores, by id.
    pub async fn snapshot(&self, user: i64) -> Vec<(i32, f64)> {
        sqlx::query_as("SELECT movie_id, score FROM user_recommendation_snapshots WHERE user_id = $1 ORDER BY movie_id")
            .bind(user)
            .fetch_all(&self.pool)
            .await
            .expect("the table is there")
    }

    /// All keys of the cache, sorted.
    pub async fn cache_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.redis.clone().keys("*").await.expect("Redis answers");
        keys.sort();
        keys
    }
}

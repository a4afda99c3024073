//! The real router in process, with a database and a Redis database index of its own.

use std::collections::HashMap;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, Uri},
};
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;
use user_preference_service::{
    App,
    config::{Config, env::Env},
    database::{postgres::Database, redis::RedisLink},
    lifecycle::Lifecycle,
};

/// Where the tests' Redis is, as `host:port`.
pub fn redis_address() -> String {
    let url = std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is set by ./dev-services.sh test");
    url.trim_start_matches("redis://").trim_end_matches('/').to_owned()
}

/// An answer.
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl TestResponse {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status and `error`, for comparing refusals.
    pub fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error"].as_str().unwrap_or_default().to_owned())
    }
}

/// The service, and what stands behind it.
pub struct TestApp {
    pub router: user_preference_service::middleware::WrappedRouter,
    /// The tests' own pool, for looking behind the service's back.
    pub pool: PgPool,
    pub lifecycle: Lifecycle,
    redis: redis::Client,
}

impl TestApp {
    pub async fn new(pool: PgPool) -> Self {
        Self::with(pool, &[]).await
    }

    /// With some settings of its own.
    pub async fn with(pool: PgPool, overrides: &[(&'static str, String)]) -> Self {
        let settings = settings_for(&pool, overrides).await;
        let redis = format!("redis://{}/{}", redis_address(), settings["REDIS_DB"]);
        let config = Config::from_env(Env::from_fn(move |name| settings.get(name).cloned())).unwrap();
        let lifecycle = Lifecycle::new();
        let link = RedisLink::connect(&config.redis, &lifecycle).await.unwrap();
        let database = Database::new(&config.postgres);
        let app = App::new(database, link, &lifecycle);
        Self { router: app.router(&config), pool, lifecycle, redis: redis::Client::open(redis).unwrap() }
    }

    /// A connection to this test's Redis database.
    pub async fn redis(&self) -> MultiplexedConnection {
        self.redis.get_multiplexed_async_connection().await.unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> TestResponse {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        TestResponse { status: parts.status, headers: parts.headers, body }
    }

    pub async fn call(&self, method: Method, path: &str, body: impl Into<Body>) -> TestResponse {
        let uri: Uri = path.parse().unwrap();
        self.send(Request::builder().method(method).uri(uri).body(body.into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.call(Method::GET, path, Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: impl Into<Body>) -> TestResponse {
        self.call(Method::POST, path, body).await
    }

    /// Creates a user and gives the id.
    pub async fn user(&self, name: &str) -> i64 {
        let body = json!({ "username": name, "email": format!("{name}@example.com") });
        let reply = self.post("/api/v1/users", body.to_string()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        reply.json()["id"].as_i64().unwrap()
    }
}

/// The service's settings for this test's database and a Redis database that no other test uses.
pub async fn settings_for(pool: &PgPool, overrides: &[(&'static str, String)]) -> HashMap<&'static str, String> {
    let options = pool.connect_options();
    let redis_database = fresh_redis_database().await;
    let mut settings = HashMap::from([
        ("SERVER_PORT", "0".to_owned()),
        ("DB_HOST", options.get_host().to_owned()),
        ("DB_PORT", options.get_port().to_string()),
        ("DB_USER", options.get_username().to_owned()),
        ("DB_NAME", options.get_database().unwrap().to_owned()),
        ("REDIS_ADDR", redis_address()),
        ("REDIS_DB", redis_database.to_string()),
        // Tests run beside each other on few cores; what is tested for speed sets its own.
        ("REDIS_TIMEOUT_MS", "2000".to_owned()),
        ("DB_ACQUIRE_TIMEOUT_MS", "10000".to_owned()),
    ]);
    settings.extend(overrides.iter().cloned());
    settings
}

async fn fresh_redis_database() -> i64 {
    let client = redis::Client::open(format!("redis://{}/0", redis_address())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let number: i64 = redis::cmd("INCR").arg("test:next_database").query_async(&mut connection).await.unwrap();
    // Asked for, not assumed: a server with fewer databases than that serves as well.
    let (_, databases): (String, i64) =
        redis::cmd("CONFIG").arg("GET").arg("databases").query_async(&mut connection).await.unwrap();
    let index = 1 + number % (databases - 1);
    let mut commands = redis::pipe();
    commands.cmd("SELECT").arg(index).cmd("FLUSHDB");
    let _: () = commands.query_async(&mut connection).await.unwrap();
    index
}

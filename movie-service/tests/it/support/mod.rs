//! A service of its own for each test.

pub mod jobs;
pub mod log;
pub mod proxy;
pub mod stub;

use std::{collections::HashMap, future::Future, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt;
use movie_service::{
    App,
    config::{Config, env::Env},
    database::postgres::Database,
    lifecycle::Lifecycle,
};
use serde_json::Value;
use sqlx::PgPool;
use tower::ServiceExt;

/// Longest wait for something that should happen.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

pub struct TestApp {
    pub router: movie_service::middleware::WrappedRouter,
    pub config: Config,
    pub lifecycle: Lifecycle,
    /// For looking and arranging; the service has a pool of its own.
    pub pool: PgPool,
    pub redis: redis::aio::MultiplexedConnection,
}

impl Drop for TestApp {
    /// Background tasks would keep connections to the test's database, which is to be dropped.
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

#[derive(Debug)]
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl TestResponse {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn assert_error(&self, status: u16, message: &str) {
        assert_eq!((self.status.as_u16(), &self.json()["error"]), (status, &Value::from(message)));
        assert_eq!(self.header("content-type"), "application/json");
        let code = self.json()["code"].as_str().unwrap().to_owned();
        assert!(!code.is_empty() && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
    }
}

/// Settings of a service on the test's database and a Redis database of its own.
pub async fn settings(pool: &PgPool) -> HashMap<String, String> {
    let url = reqwest::Url::parse(&std::env::var("DATABASE_URL").expect("DATABASE_URL")).unwrap();
    let redis = redis_url();
    let redis = redis.strip_prefix("redis://").unwrap();
    let database = pool.connect_options().get_database().unwrap().to_owned();
    HashMap::from(
        [
            ("DB_HOST", url.host_str().unwrap().to_owned()),
            ("DB_PORT", url.port().unwrap_or(5432).to_string()),
            ("DB_USER", url.username().to_owned()),
            ("DB_PASSWORD", url.password().unwrap_or_default().to_owned()),
            ("DB_NAME", database),
            ("DB_MAX_CONNECTIONS", "8".to_owned()),
            ("REDIS_ADDR", redis.trim_end_matches('/').to_owned()),
            ("REDIS_DB", fresh_redis_database().await.to_string()),
            // Busy test machines are slow; what is to fail by time says so in its own test.
            ("DB_ACQUIRE_TIMEOUT_MS", "2000".to_owned()),
            ("DB_STATEMENT_TIMEOUT_MS", "5000".to_owned()),
            ("REDIS_TIMEOUT_MS", "2000".to_owned()),
            ("TMDB_MAX_RETRIES", "1".to_owned()),
            ("TMDB_MAX_REQUESTS_PER_SECOND", "1000".to_owned()),
            ("SERVER_PORT", "0".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}

fn redis_url() -> String {
    std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL")
}

async fn fresh_redis_database() -> i64 {
    let client = redis::Client::open(redis_url()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let next: i64 = redis::cmd("INCR").arg("test:next_database").query_async(&mut redis).await.unwrap();
    let databases: (String, i64) =
        redis::cmd("CONFIG").arg("GET").arg("databases").query_async(&mut redis).await.unwrap();
    let database = next % (databases.1 - 1) + 1;
    let select = redis::cmd("SELECT").arg(database).to_owned();
    let _: () = redis::pipe().add_command(select).cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
    database
}

pub fn config(settings: &HashMap<String, String>) -> Config {
    let settings = settings.clone();
    Config::from_env(Env::from_fn(move |name| settings.get(name).cloned())).unwrap()
}

impl TestApp {
    /// Without a TMDB key.
    pub async fn new(pool: &PgPool) -> Self {
        Self::with(pool, &[]).await
    }

    /// With settings of the test's own.
    pub async fn with(pool: &PgPool, more: &[(&str, &str)]) -> Self {
        let mut settings = settings(pool).await;
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self::from_settings(pool, &settings).await
    }

    pub async fn from_settings(pool: &PgPool, settings: &HashMap<String, String>) -> Self {
        let config = config(settings);
        let lifecycle = Lifecycle::new();
        let database = Database::new(&config.postgres);
        let app = App::assemble(&config, database, lifecycle.clone()).await.unwrap();
        let client = redis::Client::open(format!("{}/{}", redis_url(), config.redis.database)).unwrap();
        let redis = client.get_multiplexed_async_connection().await.unwrap();
        Self { router: app.router(&config), config, lifecycle, pool: pool.clone(), redis }
    }

    pub async fn request(&self, request: Request<Body>) -> TestResponse {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        TestResponse { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub async fn send(&self, method: Method, path: &str) -> TestResponse {
        self.request(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    }

    pub async fn write(&self, method: Method, path: &str, body: impl Into<Body>) -> TestResponse {
        self.write_if(method, path, &[], body).await
    }

    /// With lines of `If-Match`.
    pub async fn write_if(&self, method: Method, path: &str, tags: &[&str], body: impl Into<Body>) -> TestResponse {
        let mut request = Request::builder().method(method).uri(path);
        for tag in tags {
            request = request.header("if-match", *tag);
        }
        self.request(request.body(body.into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(Method::GET, path).await
    }

    pub async fn list(&self, query: &str) -> Value {
        let reply = self.get(&format!("/api/v1/movies?{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        reply.json()
    }

    pub async fn sync(&self, pages: u32) -> TestResponse {
        self.send(Method::POST, &format!("/api/v1/admin/sync?pages={pages}")).await
    }

    pub async fn catalogue(&self) -> TestResponse {
        self.get("/internal/v1/catalogue").await
    }

    pub async fn version(&self) -> String {
        self.catalogue().await.header("etag").to_owned()
    }

    /// Inserts a movie; its id is the number of movies before it plus one.
    pub async fn movie(&self, tmdb_id: i32, title: &str, released: Option<&str>, popularity: Option<f64>) -> i32 {
        sqlx::query_scalar(
            "INSERT INTO movies (tmdb_id, title, release_date, popularity) VALUES ($1, $2, $3::text::date, $4)
             RETURNING id",
        )
        .bind(tmdb_id)
        .bind(title)
        .bind(released)
        .bind(popularity)
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    pub async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    pub async fn redis_text(&self, command: &str, arguments: &[&str]) -> Option<Vec<u8>> {
        redis::cmd(command).arg(arguments).query_async(&mut self.redis.clone()).await.unwrap()
    }

    pub async fn redis_do(&self, command: &str, arguments: &[&[u8]]) {
        redis::cmd(command).arg(arguments).query_async::<redis::Value>(&mut self.redis.clone()).await.unwrap();
    }

    /// The number of sessions of the service that wait for a lock.
    pub async fn waiting_for_locks(&self) -> i64 {
        self.count(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()",
        )
        .await
    }
}

/// Titles of a list in their order.
pub fn titles(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|movie| movie["title"].as_str().unwrap()).collect()
}

/// Waits until something is so.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let give_up = tokio::time::Instant::now() + WAIT_TIMEOUT;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < give_up, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

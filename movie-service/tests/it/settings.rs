//! Configuration: defaults and errors.

use secrecy::ExposeSecret;
use std::{collections::HashMap, process::Command, time::Duration};

use movie_service::{
    config::{Config, env::Env},
    telemetry::LogFormat,
};
use sqlx::PgPool;

use crate::support::{TestApp, stub::Stub};

#[test]
fn every_default_is_as_documented() {
    let config = Config::from_env(Env::from_fn(|_| None)).unwrap();
    let seconds = Duration::from_secs;
    let server = &config.server;
    assert_eq!(server.address.to_string(), "127.0.0.1:8081");
    assert_eq!((server.header_read_timeout, server.write_timeout), (seconds(10), seconds(20)));
    assert_eq!((server.request_timeout, server.shutdown_timeout), (seconds(30), seconds(10)));
    assert_eq!(server.max_connections, 10_000);

    let postgres = &config.postgres;
    assert_eq!((postgres.host.as_str(), postgres.port), ("localhost", 5432));
    assert_eq!((postgres.user.as_str(), postgres.password.expose_secret()), ("postgres", "postgres"));
    assert_eq!(postgres.database, "movie_service");
    assert_eq!(format!("{:?}", postgres.ssl_mode), "Disable");
    assert_eq!(postgres.ssl_root_cert, None);
    assert_eq!(postgres.max_connections, 16);
    assert_eq!((postgres.acquire_timeout, postgres.statement_timeout), (seconds(1), seconds(3)));

    let redis = &config.redis;
    assert_eq!((redis.host.as_str(), redis.port, redis.database), ("localhost", 6379, 1));
    assert!(redis.password.is_none());
    assert_eq!(redis.timeout, Duration::from_millis(100));
    assert_eq!((config.telemetry.filter.as_str(), config.telemetry.format), ("info", LogFormat::Text));

    let tmdb = &config.tmdb;
    assert!(tmdb.credentials.is_none());
    assert_eq!(tmdb.base_url, "https://api.themoviedb.org/3");
    assert_eq!((tmdb.connect_timeout, tmdb.timeout), (seconds(5), seconds(15)));
    assert_eq!((tmdb.max_requests_per_second, tmdb.max_retries, tmdb.runtime_concurrency), (40, 3, 8));
}

#[test]
fn every_variable_is_read() {
    let set = HashMap::from([
        ("SERVER_HOST", "0.0.0.0"),
        ("SERVER_PORT", "9000"),
        ("HEADER_READ_TIMEOUT_SECONDS", "1"),
        ("WRITE_TIMEOUT_SECONDS", "16"),
        ("REQUEST_TIMEOUT_SECONDS", "2"),
        ("SHUTDOWN_TIMEOUT_SECONDS", "3"),
        ("SHUTDOWN_DELAY_SECONDS", "8"),
        ("SERVER_REUSE_PORT", "true"),
        ("METRICS_ADDR", "127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otlp:4318"),
        ("MAX_CONNECTIONS", "4"),
        ("DB_HOST", "db"),
        ("DB_PORT", "5"),
        ("DB_USER", "me"),
        ("DB_PASSWORD", "word"),
        ("DB_NAME", "name"),
        ("DB_SSLMODE", "verify-full"),
        ("DB_SSLROOTCERT", "/cert"),
        ("DB_MAX_CONNECTIONS", "6"),
        ("DB_ACQUIRE_TIMEOUT_MS", "7"),
        ("DB_STATEMENT_TIMEOUT_MS", "8"),
        ("REDIS_ADDR", "[::1]:9"),
        ("REDIS_PASSWORD", "secret"),
        ("REDIS_DB", "10"),
        ("REDIS_TIMEOUT_MS", "11"),
        ("LOG_LEVEL", "warn"),
        ("LOG_FORMAT", "json"),
        ("TMDB_API_KEY", "key"),
        ("TMDB_BASE_URL", "http://tmdb.example/3/"),
        ("TMDB_CONNECT_TIMEOUT_MS", "12"),
        ("TMDB_TIMEOUT_MS", "13"),
        ("TMDB_MAX_REQUESTS_PER_SECOND", "14"),
        ("TMDB_MAX_RETRIES", "5"),
        ("TMDB_RUNTIME_CONCURRENCY", "15"),
    ]);
    let read = |set: HashMap<&'static str, &'static str>| {
        Config::from_env(Env::from_fn(move |name| set.get(name).map(|value| (*value).to_owned()))).unwrap()
    };
    // Secrets are hidden in this form, which is what would reach a log.
    insta::assert_debug_snapshot!(read(set.clone()));
    let mut set = set;
    set.insert("TMDB_ACCESS_TOKEN", "token");
    assert!(format!("{:?}", read(set).tmdb.credentials).contains("AccessToken"), "preferred to the key");
}

#[test]
fn every_invalid_variable_is_listed_and_the_service_does_not_start() {
    let settings = [
        ("SERVER_PORT", "http"),
        ("DB_PORT", "0"),
        ("DB_SSLMODE", "maybe"),
        ("REDIS_ADDR", "localhost"),
        ("REDIS_TIMEOUT_MS", "-1"),
        ("LOG_FORMAT", "xml"),
        ("TMDB_ACCESS_TOKEN", "two words"),
        ("TMDB_BASE_URL", "api.themoviedb.org"),
        ("TMDB_CONNECT_TIMEOUT_MS", "0"),
        ("TMDB_TIMEOUT_MS", "soon"),
        ("TMDB_MAX_REQUESTS_PER_SECOND", "0"),
        ("TMDB_MAX_RETRIES", "11"),
        ("TMDB_RUNTIME_CONCURRENCY", "65"),
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_movie-service"))
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env_clear()
        .env("METRICS_ADDR", "off")
        .envs(settings)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_start_with_a_key_and_an_empty_catalogue_asks_tmdb_nothing(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    assert_eq!(app.list("").await["total_results"], 0);
    // Long enough for what a start begins in the background.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(tmdb.seen().is_empty(), "{:?}", tmdb.seen());
}

//! Configuration: defaults, errors, and precedence.

use secrecy::ExposeSecret;
use std::{collections::HashMap, time::Duration};

use user_preference_service::{
    config::{Config, env::Env},
    telemetry::LogFormat,
};

use crate::support::command;

#[test]
fn every_default_is_as_documented() {
    let config = Config::from_env(Env::from_fn(|_| None)).unwrap();
    let seconds = Duration::from_secs;
    let server = &config.server;
    assert_eq!(server.address.to_string(), "127.0.0.1:8082");
    assert_eq!((server.header_read_timeout, server.write_timeout), (seconds(10), seconds(20)));
    assert_eq!((server.request_timeout, server.shutdown_timeout), (seconds(30), seconds(10)));
    assert_eq!(server.max_connections, 10_000);

    let postgres = &config.postgres;
    assert_eq!((postgres.host.as_str(), postgres.port), ("localhost", 5432));
    assert_eq!((postgres.user.as_str(), postgres.password.expose_secret()), ("postgres", "postgres"));
    assert_eq!(postgres.database, "user_preference_service");
    assert_eq!(format!("{:?}", postgres.ssl_mode), "Disable");
    assert_eq!(postgres.ssl_root_cert, None);
    assert_eq!(postgres.max_connections, 16);
    assert_eq!((postgres.acquire_timeout, postgres.statement_timeout), (seconds(1), seconds(3)));

    let redis = &config.redis;
    assert_eq!((redis.host.as_str(), redis.port, redis.database), ("localhost", 6379, 2));
    assert!(redis.password.is_none());
    assert_eq!(redis.timeout, Duration::from_millis(100));
    assert_eq!((config.telemetry.filter.as_str(), config.telemetry.format), ("info", LogFormat::Text));
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
    ]);
    let config = Config::from_env(Env::from_fn(move |name| set.get(name).map(|value| (*value).to_owned()))).unwrap();
    // Secrets are hidden in this form, which is what would reach a log.
    insta::assert_debug_snapshot!(config);
}

#[tokio::test]
async fn every_invalid_variable_is_listed_and_the_service_does_not_start() {
    let settings = [
        ("SERVER_PORT", "http"),
        ("DB_PORT", "0"),
        ("DB_SSLMODE", "maybe"),
        ("REDIS_ADDR", "localhost"),
        ("REDIS_TIMEOUT_MS", "-1"),
        ("LOG_FORMAT", "xml"),
    ];
    let settings = settings.map(|(name, value)| (name, value.to_owned())).into_iter().collect();
    let output =
        command(settings).stderr(std::process::Stdio::piped()).env("LOG_FORMAT", "xml").output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    user-preference-service: SERVER_PORT must be a whole number from 0 to 65535
    DB_PORT must be a whole number from 1 to 65535
    DB_SSLMODE must be disable, allow, prefer, require, verify-ca or verify-full
    REDIS_ADDR must be host:port, such as localhost:6379
    REDIS_TIMEOUT_MS must be a whole number from 1 to 3600000
    LOG_FORMAT must be text or json
    ");
}

#[tokio::test]
async fn the_environment_wins_over_the_services_file_which_wins_over_the_top_one() {
    // Each source has an invalid value of its own in one variable: the error shows which source won.
    let top = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dotenv-{}", std::process::id()));
    let own = top.join("user-preference-service");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(top.join(".env"), "DB_PORT=top\nREDIS_DB=top\nSERVER_PORT=top\n").unwrap();
    std::fs::write(own.join(".env"), "DB_PORT=1\nREDIS_DB=own\n").unwrap();
    for folder in [&top, &own] {
        let settings = HashMap::from([("REDIS_DB", "2".to_owned())]);
        let output = command(settings).current_dir(folder).stderr(std::process::Stdio::piped()).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(text.trim(), "user-preference-service: SERVER_PORT must be a whole number from 0 to 65535");
    }
    std::fs::remove_dir_all(top).unwrap();
}

#[tokio::test]
async fn the_openapi_command_prints_the_specification() {
    let output = command(HashMap::new()).arg("openapi").output().await.unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), user_preference_service::handler::openapi_yaml());
    let unknown = command(HashMap::new()).arg("serve").stderr(std::process::Stdio::piped()).output().await.unwrap();
    assert_eq!(unknown.status.code(), Some(1));
}

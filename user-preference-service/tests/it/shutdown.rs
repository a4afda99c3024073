//! The real process: starting and stopping.

use std::{collections::HashMap, process::Stdio};

use sqlx::PgPool;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Connection, Process, command, eventually, exchange, settings_for, waiting};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_request_in_flight_is_finished_before_the_process_ends(pool: PgPool) {
    let mut service = Process::start(&pool, &[]).await;
    exchange(service.address, "POST", "/api/v1/users", r#"{"username":"ada","email":"a@b"}"#).await.unwrap();
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE user_interactions IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let mut in_flight = Connection::open(service.address).await.unwrap();
    let body = r#"{"movie_id":7,"interaction_type":"like"}"#;
    in_flight.send("POST", "/api/v1/users/1/interactions", body).await.unwrap();
    let mut idle = Connection::open(service.address).await.unwrap();
    eventually("the statement waits", async || waiting(&pool).await == 1).await;

    service.terminate();
    eventually("no new connections", async || TcpStream::connect(service.address).await.is_err()).await;
    assert!(idle.receive().await.is_err(), "an idle connection is closed");
    lock.rollback().await.unwrap();
    let (status, _) = in_flight.receive().await.unwrap();
    assert_eq!(status, 201);
    assert_eq!(service.wait().await.code(), Some(0));
    eventually("the log is complete", async || service.log().contains("stopped")).await;
    let log = service.log();
    let steps =
        ["stopping", "not accepting connections", "waiting for background tasks", "PostgreSQL closed", "Redis closed"];
    let places: Vec<_> =
        steps.iter().map(|step| log.find(step).unwrap_or_else(|| panic!("{step} not in {log}"))).collect();
    assert!(places.is_sorted(), "{log}");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_client_that_never_finishes_its_request_does_not_keep_the_process(pool: PgPool) {
    let mut service = Process::start(&pool, &[("SHUTDOWN_TIMEOUT_SECONDS", "1".to_owned())]).await;
    let mut half = Connection::open(service.address).await.unwrap();
    half.send("POST", "/api/v1/users HTTP/1.1\r\nContent-Length: 100\r\nHost: x\r\n\r\n{", "").await.unwrap();
    let started = std::time::Instant::now();
    service.terminate();
    service.wait().await;
    assert!(started.elapsed().as_secs() < 5);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_port_that_is_taken_ends_the_process_and_is_named(pool: PgPool) {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let settings = settings_for(&pool, &[("SERVER_PORT", address.port().to_string())]).await;
    let output = command(settings).stderr(Stdio::piped()).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&format!("cannot listen on {address}: the port is taken")), "{text}");
}

#[sqlx::test(migrations = false)]
async fn several_copies_that_start_together_make_the_schema_once(pool: PgPool) {
    let (one, two) = tokio::join!(Process::start(&pool, &[]), Process::start(&pool, &[]));
    for service in [&one, &two] {
        let (status, _) = exchange(service.address, "GET", "/api/v1/ready", "").await.unwrap();
        assert_eq!(status, 200);
    }
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named_at_once() {
    let url = std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL is set by ./dev-services.sh test");
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let settings = HashMap::from([
        ("SERVER_PORT", "0".to_owned()),
        ("DB_HOST", options.get_host().to_owned()),
        ("DB_PORT", options.get_port().to_string()),
        ("DB_NAME", "no_such_database".to_owned()),
    ]);
    let output = command(settings).stderr(Stdio::piped()).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot connect to the database no_such_database"));
}

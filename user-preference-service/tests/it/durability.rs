//! What was acknowledged is stored, once, whatever clients do meanwhile.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use sqlx::PgPool;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::support::{Connection, Process, Proxy, Traffic, eventually, exchange, waiting};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;
const PATH: &str = "/api/v1/users/1/interactions";
const WRITERS: i32 = 24;
const ATTEMPTS: i32 = 125;

/// What a client knows of its POST: the id that was acknowledged, or nothing.
type Outcome = (i32, Option<i64>);

fn body(movie: i32) -> String {
    format!(r#"{{"movie_id":{movie},"interaction_type":"watched"}}"#)
}

/// Sends POSTs, each for a movie of its own, and hangs up on two of three after 0 to 5 ms.
async fn hurried_writer(address: SocketAddr, worker: i32) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for attempt in 0..ATTEMPTS {
        let movie = worker * 1_000_000 + attempt + 1;
        let Ok(mut connection) = Connection::open(address).await else { continue };
        connection.send("POST", PATH, &body(movie)).await.unwrap();
        let client_timeout = if attempt % 3 == 0 { Duration::from_secs(20) } else { random_timeout() };
        let id = match timeout(client_timeout, connection.receive()).await {
            Ok(Ok((201, body))) => {
                let body: Value = serde_json::from_str(&body).unwrap();
                assert_eq!(body["movie_id"], movie);
                body["id"].as_i64()
            }
            Ok(Ok((status, body))) => panic!("{status} {body}"),
            Ok(Err(_)) | Err(_) => None,
        };
        if attempt % 2 == 0 {
            connection.reset();
        }
        outcomes.push((movie, id));
    }
    outcomes
}

fn random_timeout() -> Duration {
    Duration::from_micros(rand::random_range(0..5000))
}

/// Looks for sessions that sit inside a transaction, until told to stop; gives how many there were.
async fn watch_sessions(pool: PgPool, stop: Arc<AtomicBool>) -> i64 {
    let mut seen = 0;
    while !stop.load(Ordering::Relaxed) {
        seen += sqlx::query_scalar::<_, i64>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        sleep(Duration::from_millis(10)).await;
    }
    seen
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn clients_that_hang_up_lose_nothing_that_was_acknowledged(pool: PgPool) {
    let options = pool.connect_options();
    // A slow way to the database, so that most clients hang up while a statement is under way.
    let database = Proxy::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    database.set(Traffic::Open(Duration::from_millis(1)));
    let settings = [
        ("DB_HOST", database.address.ip().to_string()),
        ("DB_PORT", database.address.port().to_string()),
        ("DB_MAX_CONNECTIONS", "8".to_owned()),
    ];
    let service = Process::start(&pool, &settings).await;
    let created = exchange(service.address, "POST", "/api/v1/users", r#"{"username":"ada","email":"a@b"}"#).await;
    assert_eq!(created.unwrap().0, 201);

    let stop = Arc::new(AtomicBool::new(false));
    let watcher = tokio::spawn(watch_sessions(pool.clone(), stop.clone()));
    let mut writers = JoinSet::new();
    for worker in 0..WRITERS {
        writers.spawn(hurried_writer(service.address, worker));
    }
    let outcomes: HashMap<i32, Option<i64>> = writers.join_all().await.into_iter().flatten().collect();
    // Those that nobody waited for are still being written.
    let last = exchange(service.address, "POST", PATH, &body(i32::MAX)).await.unwrap();
    assert_eq!(last.0, 201);
    stop.store(true, Ordering::Relaxed);
    assert_eq!(watcher.await.unwrap(), 0, "sessions were left inside a transaction");

    compare(&pool, &outcomes).await;
}

/// Every acknowledged row is there once with its id, and no other is there twice.
async fn compare(pool: &PgPool, outcomes: &HashMap<i32, Option<i64>>) {
    let rows: Vec<(i32, i64)> =
        sqlx::query_as("SELECT movie_id, id FROM user_interactions").fetch_all(pool).await.unwrap();
    let stored: HashMap<i32, i64> = rows.iter().copied().collect();
    assert_eq!(stored.len(), rows.len(), "something was stored twice");
    let acknowledged: Vec<(i32, i64)> = outcomes.iter().filter_map(|(movie, id)| Some((*movie, (*id)?))).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|(movie, id)| stored.get(movie) != Some(id)).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged rows are lost: {lost:?}", lost.len(), acknowledged.len());
    let attempts = outcomes.len();
    assert!(acknowledged.len() > attempts / 4 && acknowledged.len() < attempts, "{} of {attempts}", acknowledged.len());
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_change_is_made_although_its_request_was_given_up(pool: PgPool) {
    // One connection to the database, so that the second change has not even begun when its time is over.
    let settings = [("DB_MAX_CONNECTIONS", "1".to_owned()), ("REQUEST_TIMEOUT_SECONDS", "1".to_owned())];
    let service = Process::start(&pool, &settings).await;
    exchange(service.address, "POST", "/api/v1/users", r#"{"username":"ada","email":"a@b"}"#).await.unwrap();
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE user_interactions IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let mut connections = Vec::new();
    for movie in [7, 8] {
        let mut connection = Connection::open(service.address).await.unwrap();
        connection.send("POST", PATH, &body(movie)).await.unwrap();
        connections.push(connection);
        eventually("the first statement waits", async || waiting(&pool).await == 1).await;
    }
    for mut connection in connections {
        assert_eq!(connection.receive().await.unwrap().0, 504);
        connection.reset();
    }
    lock.rollback().await.unwrap();
    eventually("both rows are there", async || {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM user_interactions").fetch_one(&pool).await.unwrap() == 2
    })
    .await;
}

//! Redis and PostgreSQL that are dead, hung or talk nonsense.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use redis::AsyncCommands;
use sqlx::PgPool;
use tokio::{task::JoinSet, time::sleep};
use user_preference_service::config::{Config, env::Env};

use crate::support::{Proxy, TestApp, Traffic, eventually, redis_address};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;
const PATH: &str = "/api/v1/users/1/preferences";
const KEY: &str = "user:pref:1";
const UP: Traffic = Traffic::Open(Duration::ZERO);

async fn language(app: &TestApp) -> String {
    let reply = app.get(PATH).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["preferred_language"].as_str().unwrap().to_owned()
}

async fn set_language(app: &TestApp, language: &str) {
    let reply = app.post(PATH, format!(r#"{{"preferred_language":"{language}"}}"#)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

async fn behind_a_proxy(pool: PgPool) -> (TestApp, Proxy) {
    let proxy = Proxy::to(&redis_address()).await;
    let settings = [("REDIS_ADDR", proxy.address.to_string()), ("REDIS_TIMEOUT_MS", "150".to_owned())];
    let app = TestApp::with(pool, &settings).await;
    app.user("ada").await;
    (app, proxy)
}

async fn is_cached_again(app: &TestApp, after: &str) {
    let mut redis = app.redis().await;
    eventually(&format!("the cache is used again, {after}"), async || {
        app.get(PATH).await;
        redis.exists::<_, bool>(KEY).await.unwrap()
    })
    .await;
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn it_starts_without_redis_and_uses_it_as_soon_as_it_is_there(pool: PgPool) {
    let proxy = Proxy::to(&redis_address()).await;
    proxy.set(Traffic::Cut);
    let app = TestApp::with(pool, &[("REDIS_ADDR", proxy.address.to_string())]).await;
    app.user("ada").await;
    set_language(&app, "fr").await;
    assert_eq!(language(&app).await, "fr");
    proxy.set(UP);
    is_cached_again(&app, "having been dead").await;
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn whatever_happens_to_redis_nothing_fails_and_nothing_stale_is_shown(pool: PgPool) {
    let (app, proxy) = behind_a_proxy(pool).await;
    for (round, fault) in [Traffic::Cut, Traffic::Hung, Traffic::Garbage].into_iter().enumerate() {
        set_language(&app, &format!("old{round}")).await;
        is_cached_again(&app, "at first").await;

        proxy.set(fault);
        let started = Instant::now();
        for change in 0..10 {
            let new = format!("{round}new{change}");
            set_language(&app, &new).await;
            assert_eq!(language(&app).await, new, "{fault:?}");
        }
        assert!(started.elapsed() < Duration::from_secs(2), "{fault:?}: each request waited for Redis");
        let mut redis = app.redis().await;
        assert!(redis.exists::<_, bool>(KEY).await.unwrap() || fault != Traffic::Cut, "the stale entry is still there");

        proxy.set(UP);
        for _ in 0..60 {
            assert_eq!(language(&app).await, format!("{round}new9"), "{fault:?}: the entry from before was used");
            sleep(Duration::from_millis(10)).await;
        }
        is_cached_again(&app, &format!("having been {fault:?}")).await;
        assert_eq!(language(&app).await, format!("{round}new9"));
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_redis_that_takes_no_connections_for_a_while_is_used_again_afterwards(pool: PgPool) {
    let (app, proxy) = behind_a_proxy(pool).await;
    for answer in [
        "-LOADING Redis is loading the dataset in memory",
        "-ERR max number of clients reached",
        "-NOAUTH Authentication required.",
    ] {
        proxy.set(Traffic::Cut);
        set_language(&app, "fr").await;
        proxy.set(Traffic::Refusing(answer));
        for _ in 0..10 {
            assert_eq!(language(&app).await, "fr");
        }
        proxy.set(UP);
        is_cached_again(&app, answer).await;
    }
}

async fn with_database_behind_a_proxy(pool: PgPool) -> (TestApp, Proxy) {
    let options = pool.connect_options();
    let proxy = Proxy::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let settings = [
        ("DB_HOST", proxy.address.ip().to_string()),
        ("DB_PORT", proxy.address.port().to_string()),
        ("DB_ACQUIRE_TIMEOUT_MS", "300".to_owned()),
        ("DB_STATEMENT_TIMEOUT_MS", "600".to_owned()),
        ("DB_MAX_CONNECTIONS", "2".to_owned()),
        ("REDIS_ADDR", "127.0.0.1:1".to_owned()),
    ];
    let app = TestApp::with(pool, &settings).await;
    app.user("ada").await;
    (app, proxy)
}

const LIKE: &str = r#"{"movie_id":1,"interaction_type":"like"}"#;

#[sqlx::test(migrator = "MIGRATIONS")]
async fn without_postgresql_every_route_says_503_in_time_and_recovers_by_itself(pool: PgPool) {
    let (app, proxy) = with_database_behind_a_proxy(pool).await;
    for fault in [Traffic::Cut, Traffic::Hung, Traffic::Garbage] {
        proxy.set(fault);
        for _ in 0..3 {
            for (method, path, body) in [
                ("GET", "/api/v1/users/1", ""),
                ("POST", "/api/v1/users", r#"{"username":"x","email":"x@"}"#),
                ("GET", PATH, ""),
                ("POST", PATH, "{}"),
                ("GET", "/api/v1/users/1/interactions", ""),
                ("POST", "/api/v1/users/1/interactions", LIKE),
                ("GET", "/internal/v1/users/1/profile", ""),
                ("POST", "/internal/v1/revisions", r#"{"users":[1]}"#),
                ("GET", "/internal/v1/feedback", ""),
            ] {
                let started = Instant::now();
                let reply = app.call(method.parse().unwrap(), path, body).await;
                let text = "the database is unavailable, try again later".to_owned();
                assert_eq!(reply.refusal(), (503, text), "{fault:?} {method} {path}");
                assert!(started.elapsed() < Duration::from_secs(3), "{fault:?} {method} {path}");
            }
        }
        proxy.set(UP);
        eventually("it works again", async || app.get("/api/v1/users/1").await.status == 200).await;
    }
    let stored: i64 =
        sqlx::query_scalar("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM user_interactions)")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(stored, 1, "503 means that nothing was done");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_change_that_is_not_confirmed_in_time_is_not_called_undone(pool: PgPool) {
    let (app, proxy) = with_database_behind_a_proxy(pool).await;
    for (path, body) in [("/api/v1/users/1/interactions", LIKE), (PATH, "{}")] {
        let started = Instant::now();
        // Whatever connection is left from before: a statement is sent on one that was used a moment ago.
        let reply = loop {
            proxy.set(UP);
            eventually("it works again", async || app.get("/api/v1/users/1").await.status == 200).await;
            sleep(Duration::from_millis(50)).await;
            proxy.set(Traffic::Hung);
            let reply = app.post(path, body).await;
            if reply.status != 503 || started.elapsed() > Duration::from_secs(20) {
                break reply;
            }
        };
        assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (504, &serde_json::json!("unconfirmed")));
        assert_eq!(app.get(path).await.status, 503, "a read has changed nothing");
    }
    proxy.set(UP);
    eventually("it works again", async || app.post(PATH, "{}").await.status == 200).await;
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn with_default_settings_no_request_waits_longer_than_5_s_for_a_hung_postgresql(pool: PgPool) {
    let options = pool.connect_options();
    let proxy = Proxy::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let default = Config::from_env(Env::from_fn(|_| None)).unwrap().postgres;
    let settings = [
        ("DB_HOST", proxy.address.ip().to_string()),
        ("DB_PORT", proxy.address.port().to_string()),
        ("DB_ACQUIRE_TIMEOUT_MS", default.acquire_timeout.as_millis().to_string()),
        ("DB_STATEMENT_TIMEOUT_MS", default.statement_timeout.as_millis().to_string()),
    ];
    let app = Arc::new(TestApp::with(pool, &settings).await);
    app.user("ada").await;
    let requests = [("GET", "/api/v1/users/1", ""), ("GET", PATH, ""), ("POST", PATH, "{}"), ("GET", PATH, "")];
    // On connections that are open, and that need not be tested before they are used.
    for (method, path, body) in requests {
        assert_eq!(app.call(method.parse().unwrap(), path, body).await.status, 200);
    }
    proxy.set(Traffic::Hung);
    let mut waiting = JoinSet::new();
    for (method, path, body) in requests {
        let app = app.clone();
        waiting.spawn(async move {
            let started = Instant::now();
            let status = app.call(method.parse().unwrap(), path, body).await.status;
            (status.as_u16(), started.elapsed())
        });
        // The second read of preferences comes while the first one is under way.
        sleep(Duration::from_millis(100)).await;
    }
    for (status, elapsed) in waiting.join_all().await {
        assert!(matches!(status, 503 | 504) && elapsed < Duration::from_secs(5), "{status} after {elapsed:?}");
    }
}

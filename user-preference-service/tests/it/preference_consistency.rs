//! What readers see of a change of preferences, in whichever replica and whatever becomes of Redis and PostgreSQL.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use redis::AsyncCommands;
use sqlx::PgPool;
use tokio::time::sleep;
use user_preference_service::lifecycle::deadline;

use crate::support::{Proxy, TestApp, Traffic, eventually, redis_address, settings_for, waiting};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;
const PATH: &str = "/api/v1/users/1/preferences";
const KEY: &str = "user:pref:1";
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(600);
const CHANGE: &str = r#"{"preferred_language":"new"}"#;

async fn language(app: &TestApp) -> String {
    let reply = app.get(PATH).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["preferred_language"].as_str().unwrap().to_owned()
}

async fn stored(pool: &PgPool) -> String {
    sqlx::query_scalar("SELECT preferred_language FROM user_preferences").fetch_one(pool).await.unwrap()
}

async fn set_old(app: &TestApp) {
    let reply = app.post(PATH, r#"{"preferred_language":"old"}"#).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_change_that_waits_for_a_row_is_made_or_refused_and_never_stale_afterwards(pool: PgPool) {
    let timeout = ("DB_STATEMENT_TIMEOUT_MS", STATEMENT_TIMEOUT.as_millis().to_string());
    let app = Arc::new(TestApp::with(pool, &[timeout]).await);
    app.user("ada").await;
    // The row is let go around the server's limit, where the change may still be made or not.
    for held in [300, 560, 575, 585, 595, 610, 900].map(Duration::from_millis) {
        set_old(&app).await;
        let mut lock = app.pool.begin().await.unwrap();
        sqlx::query("SELECT FROM user_preferences FOR UPDATE").execute(&mut *lock).await.unwrap();
        let writer = tokio::spawn({
            let app = app.clone();
            async move { app.post(PATH, CHANGE).await }
        });
        eventually("the change waits", async || waiting(&app.pool).await == 1 || writer.is_finished()).await;
        let until = Instant::now() + held;
        while Instant::now() < until {
            language(&app).await;
            sleep(Duration::from_millis(2)).await;
        }
        lock.rollback().await.unwrap();
        let reply = writer.await.unwrap();
        let expected = if reply.status == 503 { "old" } else { "new" };
        assert!(matches!(reply.status.as_u16(), 200 | 503), "{held:?}: {}", reply.text());
        assert_eq!((language(&app).await.as_str(), stored(&app.pool).await.as_str()), (expected, expected), "{held:?}");
    }
}

/// Two replicas that share a cache, the first with its database behind a proxy.
async fn two_replicas(pool: &PgPool) -> (TestApp, Proxy, TestApp) {
    let options = pool.connect_options();
    let proxy = Proxy::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let redis = ("REDIS_DB", settings_for(pool, &[]).await.remove("REDIS_DB").unwrap());
    let settings = [
        ("DB_HOST", proxy.address.ip().to_string()),
        ("DB_PORT", proxy.address.port().to_string()),
        ("DB_STATEMENT_TIMEOUT_MS", STATEMENT_TIMEOUT.as_millis().to_string()),
        // Part of the limit of a write in all, which is asserted below.
        ("DB_ACQUIRE_TIMEOUT_MS", "800".to_owned()),
        ("DB_MAX_CONNECTIONS", "1".to_owned()),
        redis.clone(),
    ];
    let (app, other) = (TestApp::with(pool.clone(), &settings).await, TestApp::with(pool.clone(), &[redis]).await);
    app.user("ada").await;
    set_old(&app).await;
    (app, proxy, other)
}

/// A change that is under way to the database when it is given up; it is made when the proxy lets it through.
async fn change_on_the_way(app: &TestApp, proxy: &Proxy) {
    // The connection is back in the pool by then, and was used just now, so that it is not tested before its use.
    set_old(app).await;
    sleep(Duration::from_millis(200)).await;
    proxy.set(Traffic::Hung);
    let started = Instant::now();
    let reply = app.post(PATH, CHANGE).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (504, &serde_json::json!("unconfirmed")));
    let margin = Duration::from_millis(1500);
    assert!(started.elapsed() < STATEMENT_TIMEOUT + margin, "{:?}", started.elapsed());
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_change_that_is_made_after_it_was_given_up_is_seen_soon(pool: PgPool) {
    let (app, proxy, other) = two_replicas(&pool).await;
    change_on_the_way(&app, &proxy).await;
    assert_eq!(language(&other).await, "old", "which is cached now");
    proxy.set(Traffic::Open(Duration::ZERO));
    eventually("it is made", async || stored(&pool).await == "new").await;
    eventually("it is seen", async || language(&other).await == "new").await;
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_stop_does_not_wait_until_a_change_is_settled(pool: PgPool) {
    let (app, proxy, other) = two_replicas(&pool).await;
    change_on_the_way(&app, &proxy).await;
    assert_eq!(language(&other).await, "old", "which is cached now");
    let started = Instant::now();
    assert!(app.lifecycle.drain(deadline(Duration::from_secs(10))).await);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    proxy.set(Traffic::Open(Duration::ZERO));
    eventually("it is made", async || stored(&pool).await == "new").await;
    assert_eq!(language(&other).await, "new", "although it was cached before");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_change_made_while_redis_was_away_is_seen_by_every_replica_and_after_a_restart(pool: PgPool) {
    for fault in [Traffic::Cut, Traffic::Hung] {
        let proxy = Proxy::to(&redis_address()).await;
        let database = ("REDIS_DB", settings_for(&pool, &[]).await.remove("REDIS_DB").unwrap());
        let behind_proxy =
            [("REDIS_ADDR", proxy.address.to_string()), ("REDIS_TIMEOUT_MS", "150".to_owned()), database.clone()];
        let other = TestApp::with(pool.clone(), &[database]).await;
        let app = TestApp::with(pool.clone(), &behind_proxy).await;
        other.post("/api/v1/users", r#"{"username":"ada","email":"ada@"}"#).await;
        set_old(&app).await;
        assert_eq!((language(&app).await, language(&other).await), ("old".to_owned(), "old".to_owned()));
        assert!(other.redis().await.exists::<_, bool>(KEY).await.unwrap());

        proxy.set(fault);
        assert_eq!(app.post(PATH, CHANGE).await.status, 200);
        assert!(other.redis().await.exists::<_, bool>(KEY).await.unwrap(), "the old entry is still there");
        assert_eq!(language(&other).await, "new", "{fault:?}: another replica");
        // What the entry was before the other replica replaced it.
        set_old(&other).await;
        language(&other).await;
        assert_eq!(app.post(PATH, CHANGE).await.status, 200);
        app.lifecycle.drain(deadline(Duration::from_secs(5))).await;
        drop(app);
        proxy.set(Traffic::Open(Duration::ZERO));
        let restarted = TestApp::with(pool.clone(), &behind_proxy).await;
        // A link that hung passes on the deletion that was given up.
        let exists: bool = other.redis().await.exists(KEY).await.unwrap();
        assert!(exists || fault == Traffic::Hung, "the old entry is still there");
        assert_eq!(language(&restarted).await, "new", "{fault:?}: after a restart");
        assert_eq!(language(&other).await, "new");
    }
}

//! The cache of finished lists: its entries, damaged and foreign ones, and a Redis that is down.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use redis::AsyncCommands;
use sqlx::PgPool;

use crate::support::{Catalogue, Peers, Profile, Proxy, TestApp, Traffic, eventually, settings};

const KEY: &str = "recommendations:1:10";
const PATH: &str = "/api/v1/users/1/recommendations";

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

/// The service with a proxy before its Redis.
async fn app_behind_proxy(pool: PgPool, traffic: Traffic) -> (TestApp, Proxy) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    let proxy = Proxy::to(settings["REDIS_ADDR"].clone()).await;
    proxy.set(traffic);
    settings.insert("REDIS_ADDR".into(), proxy.address.to_string());
    settings.insert("REDIS_TIMEOUT_MS".into(), "100".into());
    let app = TestApp::with(pool, peers, settings).await;
    eventually("the first copy of the catalogue", async || app.app.catalogue.is_loaded()).await;
    (app, proxy)
}

#[sqlx::test(migrations = "./migrations")]
async fn an_unchanged_list_is_answered_from_the_cache_byte_for_byte(pool: PgPool) {
    let mut app = app(pool).await;
    let first = app.recommend(1).await;
    assert_eq!(app.recommend(1).await.body, first.body);
    assert_eq!(app.cache_keys().await, [KEY]);
    let seconds: i64 = app.redis.ttl(KEY).await.unwrap();
    assert!((590..=600).contains(&seconds), "{seconds}");
    let entry: Vec<u8> = app.redis.get(KEY).await.unwrap();
    assert!(entry.ends_with(&first.body));
}

#[sqlx::test(migrations = "./migrations")]
async fn each_user_limit_and_inclusion_has_its_own_entry(pool: PgPool) {
    let app = app(pool).await;
    app.peers.set_profile(2, Profile { seen: vec![1], ..Profile::default() });
    app.recommend(1).await;
    app.recommend(2).await;
    app.get("/api/v1/users/2/recommendations?limit=3").await;
    assert_eq!(app.get("/api/v1/users/2/recommendations?include_seen=1").await.movies(), [1, 2, 3, 4]);
    assert_eq!(app.recommend(2).await.movies(), [2, 3, 4]);
    let keys = ["recommendations:1:10", "recommendations:2:10", "recommendations:2:10:seen", "recommendations:2:3"];
    assert_eq!(app.cache_keys().await, keys);
}

#[sqlx::test(migrations = "./migrations")]
async fn garbage_in_the_cache_is_replaced(pool: PgPool) {
    let mut app = app(pool).await;
    app.recommend(1).await;
    let good: Vec<u8> = app.redis.get(KEY).await.unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() = b']';
    let list = br#"{"user_id":1,"recommendations":[],"generated_at":"2026-01-01T00:00:00Z"}"#;
    for garbage in [b"".as_slice(), b"garbage", list, &good[..good.len() - 1], &flipped, &[0xff; 200]] {
        app.redis.set::<_, _, ()>(KEY, garbage).await.unwrap();
        assert_eq!(app.recommend(1).await.movies(), [1, 2, 3, 4]);
        let entry: Vec<u8> = app.redis.get(KEY).await.unwrap();
        assert!(entry != garbage);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_of_another_type_is_replaced_too(pool: PgPool) {
    let mut app = app(pool).await;
    app.redis.lpush::<_, _, ()>(KEY, "x").await.unwrap();
    let first = app.recommend(1).await;
    assert_eq!(app.recommend(1).await.body, first.body);
    let kind: String = redis::cmd("TYPE").arg(KEY).query_async(&mut app.redis).await.unwrap();
    assert_eq!(kind, "string");
}

#[sqlx::test(migrations = "./migrations")]
async fn an_entry_of_another_user_is_not_used(pool: PgPool) {
    let mut app = app(pool).await;
    app.peers.set_profile(2, Profile::default());
    app.recommend(1).await;
    let entry: Vec<u8> = app.redis.get(KEY).await.unwrap();
    app.redis.set::<_, _, ()>("recommendations:2:10", entry).await.unwrap();
    assert_eq!(app.recommend(2).await.json()["user_id"], 2);
}

async fn assert_503_then_back(app: &TestApp, proxy: &Proxy, broken: Traffic) {
    proxy.set(broken);
    for _ in 0..5 {
        let started = Instant::now();
        let response = app.get(PATH).await;
        assert_eq!(
            (response.status, response.error()),
            (StatusCode::SERVICE_UNAVAILABLE, "recommendation cache unavailable".into())
        );
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
    assert!(!app.app.redis.is_up(), "the breaker is open after so many failures");
    let ready = app.get("/api/v1/ready").await;
    assert_eq!(
        (ready.status, ready.json()["checks"]["redis"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("unavailable"))
    );
    assert_eq!(app.get("/api/v1/health").await.status, StatusCode::OK);
    assert_eq!(app.get("/api/v1/rules").await.status, StatusCode::OK);

    proxy.set(Traffic::Open);
    eventually("recommendations again", async || app.get(PATH).await.status == StatusCode::OK).await;
    assert_eq!(app.get("/api/v1/ready").await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "./migrations")]
async fn without_redis_it_is_503_and_it_recovers_by_itself(pool: PgPool) {
    let (app, proxy) = app_behind_proxy(pool, Traffic::Open).await;
    app.recommend(1).await;
    assert_503_then_back(&app, &proxy, Traffic::Cut).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn with_a_hung_redis_it_is_503_soon_and_it_recovers_by_itself(pool: PgPool) {
    let (app, proxy) = app_behind_proxy(pool, Traffic::Open).await;
    app.recommend(1).await;
    assert_503_then_back(&app, &proxy, Traffic::Hung).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn it_starts_without_redis_and_uses_it_when_it_comes(pool: PgPool) {
    let (app, proxy) = app_behind_proxy(pool, Traffic::Cut).await;
    assert_503_then_back(&app, &proxy, Traffic::Cut).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_missing_cache_is_said_at_once_even_when_the_profile_hangs(pool: PgPool) {
    let (app, proxy) = app_behind_proxy(pool, Traffic::Open).await;
    proxy.set(Traffic::Cut);
    app.peers.user_service(crate::support::PeerBehaviour::Hang);
    let started = Instant::now();
    assert_eq!(app.get(PATH).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(started.elapsed() < Duration::from_millis(800), "{:?}", started.elapsed());
}

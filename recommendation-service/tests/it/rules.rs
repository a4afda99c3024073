//! `GET /api/v1/rules`, and a PostgreSQL that is away.

use std::time::Duration;

use axum::http::StatusCode;
use recommendation_service::repository::rules::list_active;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{
    Catalogue, Peers, Profile, Proxy, TestApp, Traffic, database, eventually, lock_waiters, settings,
};

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

#[sqlx::test(migrations = "./migrations")]
async fn the_three_seeded_rules_are_listed_by_type(pool: PgPool) {
    let response = app(pool).await.get("/api/v1/rules").await;
    assert_eq!(response.status, StatusCode::OK);
    let mut json = response.json();
    for rule in json["rules"].as_array_mut().unwrap() {
        assert!(rule["created_at"].as_str().is_some_and(|time| time.ends_with('Z')));
        assert_eq!(rule["updated_at"], rule["created_at"]);
        rule["created_at"] = "[time]".into();
        rule["updated_at"] = "[time]".into();
    }
    for rule in json["learned_rules"].as_array_mut().unwrap() {
        assert!(rule["weight"].as_f64().is_some_and(|weight| weight > 0.0));
        rule["weight"] = "[tuned]".into();
    }
    insta::assert_json_snapshot!(json);
}

#[sqlx::test(migrations = "./migrations")]
async fn inactive_rules_are_not_listed_and_without_any_the_list_is_empty(pool: PgPool) {
    let app = app(pool).await;
    let update = "UPDATE recommendation_rules SET is_active = false WHERE rule_type = 'recency'";
    sqlx::query(update).execute(&app.pool).await.unwrap();
    let rules = app.get("/api/v1/rules").await.json();
    let types: Vec<_> = rules["rules"].as_array().unwrap().iter().map(|rule| rule["rule_type"].clone()).collect();
    assert_eq!(types, ["genre_match", "popularity"]);
    sqlx::query("UPDATE recommendation_rules SET is_active = false").execute(&app.pool).await.unwrap();
    assert_eq!(app.get("/api/v1/rules").await.json()["rules"], json!([]));
}

#[sqlx::test(migrations = "./migrations")]
async fn what_learned_rules_and_feedback_count_is_shown_by_variant(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    settings.insert("FEEDBACK_WEIGHT_WATCHED".into(), "0.25".into());
    let app = TestApp::with(pool, peers, settings).await;
    let insert = "INSERT INTO recommendation_rules (name, weight, rule_type, is_active, variant)
                  VALUES ('A', 2, 'affinity', true, ''), ('B', 1, 'rating', false, ''), ('C', 3, 'rating', true, 'b')";
    sqlx::query(insert).execute(&app.pool).await.unwrap();
    let json = app.get("/api/v1/rules").await.json();
    let learned = |json: &serde_json::Value, rule_type: &str| {
        let rules = json["learned_rules"].as_array().unwrap().clone();
        assert_eq!(rules.len(), 4);
        rules.into_iter().find(|rule| rule["rule_type"] == rule_type).unwrap()
    };
    assert_eq!(learned(&json, "affinity"), json!({"rule_type": "affinity", "weight": 2.0, "default": false}));
    assert_eq!(learned(&json, "rating"), json!({"rule_type": "rating", "weight": 0.0, "default": false}));
    assert_eq!(learned(&json, "collaborative")["default"], true);
    let other = app.get("/api/v1/rules?variant=b").await.json();
    assert_eq!(learned(&other, "rating"), json!({"rule_type": "rating", "weight": 3.0, "default": false}));
    assert_eq!(learned(&other, "affinity")["default"], true);
    let feedback = json!({
        "like": 1.0, "dislike": -1.0, "rating": 1.0, "watched": 0.25, "abandoned": -0.4, "half_life_days": 730.0
    });
    assert_eq!((&json["feedback"], &other["feedback"]), (&feedback, &feedback));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_weight_that_is_no_usable_number_cannot_be_stored(pool: PgPool) {
    for weight in ["'NaN'", "'Infinity'", "-0.1", "1000.1"] {
        let update = sqlx::AssertSqlSafe(format!("UPDATE recommendation_rules SET weight = {weight}"));
        assert!(sqlx::query(update).execute(&pool).await.is_err(), "{weight}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_second_start_seeds_nothing_twice(pool: PgPool) {
    drop(app(pool.clone()).await);
    recommendation_service::MIGRATIONS.run(&pool).await.unwrap();
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM recommendation_rules").fetch_one(&pool).await.unwrap();
    assert_eq!(count, 3);
}

#[sqlx::test(migrations = "./migrations")]
async fn without_postgresql_rules_are_503_and_recommendations_go_on(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    let proxy = Proxy::to(format!("{}:{}", settings["DB_HOST"], settings["DB_PORT"])).await;
    settings.insert("DB_HOST".into(), "127.0.0.1".into());
    settings.insert("DB_PORT".into(), proxy.address.port().to_string());
    let app = TestApp::connect(pool, peers, settings).await;
    eventually("the first copy of the catalogue", async || app.app.catalogue.is_loaded()).await;
    proxy.set(Traffic::Cut);

    let rules = app.get("/api/v1/rules").await;
    assert_eq!((rules.status, rules.error().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "database unavailable"));
    assert_eq!(app.get("/api/v1/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.recommend(1).await.movies(), [1, 2, 3, 4]);
    assert!(app.snapshot(1).await.is_empty());

    proxy.set(Traffic::Open);
    eventually("the snapshot after all", async || app.snapshot(1).await.len() == 4).await;
    assert_eq!(app.get("/api/v1/rules").await.status, StatusCode::OK);
    app.app.database.close(tokio::time::Instant::now()).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn connections_that_go_silent_stop_neither_the_rules_nor_the_snapshots(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    let proxy = Proxy::to(format!("{}:{}", settings["DB_HOST"], settings["DB_PORT"])).await;
    settings.insert("DB_HOST".into(), "127.0.0.1".into());
    settings.insert("DB_PORT".into(), proxy.address.port().to_string());
    // Longer than a request waits for the rules: a list without the profile would be no snapshot.
    settings.insert("PROFILE_TIMEOUT_MS".into(), "5000".into());
    let app = TestApp::connect(pool, peers, settings).await;
    eventually("the first copy of the catalogue", async || app.app.catalogue.is_loaded()).await;

    // Both are in the middle of a statement when their connections are lost.
    let mut lock = app.pool.begin().await.unwrap();
    let statement = "LOCK TABLE recommendation_rules, user_recommendation_snapshots IN ACCESS EXCLUSIVE MODE";
    sqlx::query(statement).execute(&mut *lock).await.unwrap();
    app.recommend(1).await;
    eventually("both wait", async || lock_waiters(&app.pool).await == 2).await;
    proxy.lose_connections();
    lock.rollback().await.unwrap();
    let before = app.app.rules.weights();
    sqlx::query("UPDATE recommendation_rules SET weight = 0.9").execute(&app.pool).await.unwrap();
    sqlx::query("DELETE FROM user_recommendation_snapshots").execute(&app.pool).await.unwrap();

    eventually("the new rules", async || app.app.rules.weights() != before).await;
    app.peers.set_profile(2, Profile::default());
    app.recommend(2).await;
    eventually("new snapshots", async || app.snapshot(2).await.len() == 4).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_statement_may_take_as_long_as_the_settings_say(pool: PgPool) {
    let database = database(&pool, Duration::from_secs(15));
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE recommendation_rules IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let (rules, ()) = tokio::join!(list_active(&database), async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        lock.rollback().await.unwrap();
    });
    assert_eq!(rules.unwrap().len(), 3);
    database.close(tokio::time::Instant::now()).await;
}

//! `/internal/v1/users/{id}/profile`

use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestApp, TestResponse};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

/// The profile without the part of its revision that is different in each database.
fn without_revision(reply: &TestResponse) -> String {
    let body = reply.json();
    let (epoch, _) = body["revision"].as_str().unwrap().rsplit_once('-').unwrap();
    reply.text().replace(epoch, "[epoch]")
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_new_user_has_the_defaults_and_has_seen_nothing(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let reply = app.get("/internal/v1/users/1/profile").await;
    assert_eq!(reply.status, 200);
    insta::assert_snapshot!(without_revision(&reply), @r#"{"user_id":1,"revision":"[epoch]-0","preferred_genres":[],"preferred_language":"en","min_rating":0.0,"feedback":[],"watchlist":[],"seen_movie_ids":[]}"#);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn it_holds_preferences_the_latest_feedback_on_each_movie_and_the_watchlist(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for name in ["ada", "bob"] {
        app.user(name).await;
    }
    app.post(
        "/api/v1/users/1/preferences",
        r#"{"preferred_genres":["Drama"],"preferred_language":"fr","min_rating":6.5}"#,
    )
    .await;
    for (user, movie, kind, value, day) in [
        (1, 30, "watched", None, 1),
        (1, 7, "dislike", None, 2),
        (1, 30, "rating", Some(8.5), 3),
        (1, 100, "like", None, 9),
        (1, 101, "watchlist", None, 5),
        (1, 30, "abandoned", None, 2),
        (1, 7, "watchlist", None, 1),
        (1, 200, "abandoned", None, 3),
        (1, 100, "watchlist", None, 9),
        (2, 1, "watched", None, 1),
    ] {
        let body = json!({
            "movie_id": movie,
            "interaction_type": kind,
            "value": value,
            "occurred_at": format!("2026-01-0{day}T00:00:00Z"),
        });
        let reply = app.post(&format!("/api/v1/users/{user}/interactions"), body.to_string()).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    }
    let reply = app.get("/internal/v1/users/1/profile").await;
    insta::assert_snapshot!(without_revision(&reply).replace("T00:00:00Z", ""), @r#"{"user_id":1,"revision":"[epoch]-10","preferred_genres":["Drama"],"preferred_language":"fr","min_rating":6.5,"feedback":[{"movie_id":100,"kind":"like","occurred_at":"2026-01-09"},{"movie_id":200,"kind":"abandoned","occurred_at":"2026-01-03"},{"movie_id":30,"kind":"rating","value":8.5,"occurred_at":"2026-01-03"},{"movie_id":7,"kind":"dislike","occurred_at":"2026-01-02"}],"watchlist":[100,101],"seen_movie_ids":[7,30,100,200]}"#);
    assert_eq!(app.get("/internal/v1/users/1/profile").await.body, reply.body);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn it_never_comes_from_the_cache(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    app.get("/api/v1/users/1/preferences").await;
    app.get("/internal/v1/users/1/profile").await;
    sqlx::query("INSERT INTO user_preferences (user_id, preferred_language) VALUES (1, 'fr')")
        .execute(&app.pool)
        .await
        .unwrap();
    assert_eq!(app.get("/internal/v1/users/1/profile").await.json()["preferred_language"], "fr");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_profile_of_nobody_is_not_found(pool: PgPool) {
    let app = TestApp::new(pool).await;
    assert_eq!(app.get("/internal/v1/users/1/profile").await.refusal(), (404, "user not found".to_owned()));
}

//! `/internal/v1/users/{id}/profile`

use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_new_user_has_the_defaults_and_has_seen_nothing(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let reply = app.get("/internal/v1/users/1/profile").await;
    assert_eq!(reply.status, 200);
    insta::assert_snapshot!(reply.text(), @r#"{"user_id":1,"preferred_genres":[],"preferred_language":"en","min_rating":0.0,"seen_movie_ids":[]}"#);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn it_holds_preferences_and_each_watched_or_disliked_movie_once_by_id(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for name in ["ada", "bob"] {
        app.user(name).await;
    }
    app.post(
        "/api/v1/users/1/preferences",
        r#"{"preferred_genres":["Drama"],"preferred_language":"fr","min_rating":6.5}"#,
    )
    .await;
    for (user, movie, kind) in [
        (1, 30, "watched"),
        (1, 7, "dislike"),
        (1, 30, "dislike"),
        (1, 100, "like"),
        (1, 101, "watchlist"),
        (1, 200, "watched"),
        (2, 1, "watched"),
    ] {
        let body = json!({ "movie_id": movie, "interaction_type": kind }).to_string();
        assert_eq!(app.post(&format!("/api/v1/users/{user}/interactions"), body).await.status, 201);
    }
    let reply = app.get("/internal/v1/users/1/profile").await;
    insta::assert_snapshot!(reply.text(), @r#"{"user_id":1,"preferred_genres":["Drama"],"preferred_language":"fr","min_rating":6.5,"seen_movie_ids":[7,30,200]}"#);
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

//! `/internal/v1/revisions`, and the revision in a profile.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinSet;

use crate::support::TestApp;

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;
const PATH: &str = "/internal/v1/revisions";

async fn revisions(app: &TestApp, users: &[i64]) -> Value {
    let reply = app.post(PATH, json!({ "users": users }).to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["revisions"].clone()
}

/// The number in the revision of a user.
async fn number(app: &TestApp, user: i64) -> i64 {
    let all = revisions(app, &[user]).await;
    let revision = all[user.to_string()].as_str().unwrap();
    revision.rsplit_once('-').unwrap().1.parse().unwrap()
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn users_who_do_not_exist_are_left_out(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for name in ["ada", "bob"] {
        app.user(name).await;
    }
    let found = revisions(&app, &[2, 99, 1, 2, 0, -1, i64::MIN, i64::MAX]).await;
    assert_eq!(found.as_object().unwrap().keys().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(revisions(&app, &[]).await, json!({}));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn it_is_the_revision_of_the_profile_and_every_change_of_the_user_raises_it(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for name in ["ada", "bob"] {
        app.user(name).await;
    }
    let bob = revisions(&app, &[2]).await;
    let mut before = number(&app, 1).await;
    for (path, body) in [
        ("preferences", r#"{"preferred_genres":["Drama"]}"#),
        ("preferences", r#"{"preferred_genres":["Drama"]}"#),
        ("interactions", r#"{"movie_id":1,"interaction_type":"like"}"#),
        ("interactions", r#"{"movie_id":1,"interaction_type":"like"}"#),
        ("interactions", r#"{"movie_id":1,"interaction_type":"rating","value":1}"#),
        ("interactions", r#"{"movie_id":2,"interaction_type":"watchlist"}"#),
    ] {
        assert!(app.post(&format!("/api/v1/users/1/{path}"), body).await.status.is_success());
        let after = number(&app, 1).await;
        assert!(after > before, "{path} {body}");
        before = after;
    }
    for statement in [
        "UPDATE user_interactions SET movie_id = 3 WHERE id = 1",
        "DELETE FROM user_interactions WHERE id = 1",
        "TRUNCATE user_interactions",
        "UPDATE user_preferences SET min_rating = 5",
        "DELETE FROM user_preferences",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
        let after = number(&app, 1).await;
        assert!(after > before, "{statement}");
        before = after;
    }
    let all = revisions(&app, &[1, 2]).await;
    assert_eq!(app.get("/internal/v1/users/1/profile").await.json()["revision"], all["1"]);
    // TRUNCATE is of all users.
    assert_eq!(number(&app, 2).await, 1);
    assert_ne!(revisions(&app, &[2]).await, bob);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_refused_change_and_the_changes_of_others_leave_it_as_it_is(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for name in ["ada", "bob"] {
        app.user(name).await;
    }
    let before = revisions(&app, &[1]).await;
    app.post("/api/v1/users/1/interactions", r#"{"movie_id":0,"interaction_type":"like"}"#).await;
    app.post("/api/v1/users/1/preferences", r#"{"min_rating":11}"#).await;
    app.post("/api/v1/users/2/interactions", r#"{"movie_id":1,"interaction_type":"like"}"#).await;
    app.post("/api/v1/users/2/preferences", r#"{"min_rating":1}"#).await;
    assert_eq!(revisions(&app, &[1]).await, before);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_user_can_be_deleted_with_all_that_belongs_to_them(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    app.post("/api/v1/users/1/interactions", r#"{"movie_id":1,"interaction_type":"like"}"#).await;
    app.post("/api/v1/users/1/preferences", "{}").await;
    sqlx::query("DELETE FROM users").execute(&app.pool).await.unwrap();
    assert_eq!(revisions(&app, &[1]).await, json!({}));
    assert_eq!(app.get("/internal/v1/users/1/profile").await.status, 404);
    let reply = app.post("/api/v1/users/1/interactions", r#"{"movie_id":1,"interaction_type":"like"}"#).await;
    assert_eq!(reply.refusal(), (404, "user not found".to_owned()));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn equal_revisions_are_equal_profiles_while_many_write(pool: PgPool) {
    const WRITERS: i32 = 6;
    const WRITES: i32 = 25;
    let first = Arc::new(TestApp::new(pool.clone()).await);
    let second = Arc::new(TestApp::new(pool).await);
    first.user("ada").await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let app = if writer % 2 == 0 { first.clone() } else { second.clone() };
        writers.spawn(async move {
            for write in 0..WRITES {
                let (path, body) = match write % 5 {
                    0 => ("preferences", format!(r#"{{"min_rating":{writer}.{write}}}"#)),
                    _ => {
                        let movie = 1 + writer * WRITES + write;
                        ("interactions", format!(r#"{{"movie_id":{movie},"interaction_type":"watched"}}"#))
                    }
                };
                assert!(app.post(&format!("/api/v1/users/1/{path}"), body).await.status.is_success());
            }
        });
    }
    let (mut seen, mut last) = (HashMap::new(), 0);
    while !writers.is_empty() {
        while writers.try_join_next().is_some_and(|joined| joined.is_ok()) {}
        let asked = number(&first, 1).await;
        let profile = first.get("/internal/v1/users/1/profile").await;
        let revision = profile.json()["revision"].as_str().unwrap().to_owned();
        let shown: i64 = revision.rsplit_once('-').unwrap().1.parse().unwrap();
        assert!(last <= asked && asked <= shown, "{last} {asked} {shown}");
        last = shown;
        let known = seen.entry(revision).or_insert_with(|| profile.body.clone());
        assert_eq!(*known, profile.body, "the same revision of two states");
    }
    assert!(number(&first, 1).await <= i64::from(WRITERS * WRITES));
    let movies = first.get("/internal/v1/users/1/profile").await.json()["seen_movie_ids"].as_array().unwrap().len();
    assert_eq!(movies as i32, WRITERS * WRITES * 4 / 5);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn what_is_no_list_of_at_most_1000_ids_is_refused(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let ids = |count: i64| json!({ "users": (1..=count).collect::<Vec<_>>() }).to_string();
    assert_eq!(app.post(PATH, ids(1000)).await.status, 200);
    for (body, text, field) in [
        (ids(1001), "users must have at most 1000 entries", Some("users")),
        ("{}".to_owned(), "users is required", Some("users")),
        (r#"{"users":null}"#.to_owned(), "users is required", Some("users")),
        (r#"{"users":1}"#.to_owned(), "invalid request body", Some("users")),
        (r#"{"users":[1,"2"]}"#.to_owned(), "invalid request body", Some("users[1]")),
        (r#"{"users":[1.5]}"#.to_owned(), "invalid request body", Some("users[0]")),
        (r#"{"users":[null]}"#.to_owned(), "invalid request body", Some("users[0]")),
        ("[1]".to_owned(), "invalid request body", None),
        (String::new(), "invalid request body", None),
    ] {
        let reply = app.post(PATH, body.clone()).await;
        assert_eq!(reply.refusal(), (400, text.to_owned()), "{body}");
        assert_eq!(reply.json()["field"].as_str(), field, "{body}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn revisions_are_those_of_this_database(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let before = revisions(&app, &[1]).await;
    sqlx::query(AssertSqlSafe("UPDATE database_epoch SET epoch = gen_random_uuid()")).execute(&app.pool).await.unwrap();
    assert_ne!(revisions(&app, &[1]).await, before);
}

//! Interactions that are recorded at the same time share statements; each request gets the answer that it would get alone.

use std::sync::Arc;

use serde_json::Value;
use sqlx::PgPool;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::{TestApp, TestResponse, eventually, waiting};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

async fn app_with_users(pool: PgPool, users: i64) -> Arc<TestApp> {
    let app = TestApp::new(pool).await;
    for user in 1..=users {
        assert_eq!(app.user(&format!("user{user}")).await, user);
    }
    Arc::new(app)
}

async fn record(app: &TestApp, user: i64, movie: i64, value: f64) -> TestResponse {
    let body =
        format!(r#"{{"movie_id":{movie},"interaction_type":"rating","value":{value},"recommendation_id":"{movie}"}}"#);
    app.post(&format!("/api/v1/users/{user}/interactions"), body).await
}

fn start(app: &Arc<TestApp>, user: i64, movie: i64) -> JoinHandle<TestResponse> {
    let app = app.clone();
    tokio::spawn(async move { record(&app, user, movie, 1.0).await })
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn each_of_many_concurrent_requests_gets_its_own_answer(pool: PgPool) {
    let app = app_with_users(pool, 8).await;
    let mut requests = JoinSet::new();
    for movie in 1..=300 {
        let app = app.clone();
        // 9 and 10 do not exist.
        let user = 1 + movie % 10;
        let value = (1 + movie % 20) as f64 / 2.0;
        requests.spawn(async move { (user, movie, value, record(&app, user, movie, value).await) });
    }
    for (user, movie, value, reply) in requests.join_all().await {
        if user > 8 {
            assert_eq!(reply.refusal(), (404, "user not found".to_owned()));
            continue;
        }
        let body = reply.json();
        let shown = (&body["user_id"], &body["movie_id"], &body["value"], &body["recommendation_id"]);
        assert_eq!(shown, (&user.into(), &movie.into(), &value.into(), &movie.to_string().into()), "{body}");
        let stored: (i64, i32, f32) =
            sqlx::query_as("SELECT user_id, movie_id, value FROM user_interactions WHERE id = $1")
                .bind(body["id"].as_i64())
                .fetch_one(&app.pool)
                .await
                .unwrap();
        assert_eq!(stored, (user, movie as i32, value as f32));
    }
    let counts: (i64, i64) = sqlx::query_as("SELECT count(*), count(DISTINCT created_at) FROM user_interactions")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(counts.0, 240);
    assert!(counts.1 < 240, "no two of them shared a statement");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_interactions_of_others_are_stored_when_a_user_is_deleted_meanwhile(pool: PgPool) {
    // Users 1, 5 and 9 share a queue.
    let app = app_with_users(pool, 9).await;
    let mut busy = app.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM users WHERE id = 9 FOR UPDATE").execute(&mut *busy).await.unwrap();
    let first = start(&app, 9, 1);
    eventually("the first statement waits", async || waiting(&app.pool).await == 1).await;
    let (deleted, other) = (start(&app, 1, 2), start(&app, 5, 3));
    let mut deletion = app.pool.begin().await.unwrap();
    sqlx::query("DELETE FROM users WHERE id = 1").execute(&mut *deletion).await.unwrap();
    tokio::task::yield_now().await;
    busy.rollback().await.unwrap();
    assert_eq!(first.await.unwrap().status, 201);
    eventually("the second statement waits", async || waiting(&app.pool).await == 1).await;
    deletion.commit().await.unwrap();
    assert_eq!(deleted.await.unwrap().refusal(), (404, "user not found".to_owned()));
    let other = other.await.unwrap();
    assert_eq!((other.status.as_u16(), &other.json()["movie_id"]), (201, &Value::from(3)));
    let movies: Vec<i32> = sqlx::query_scalar("SELECT movie_id FROM user_interactions ORDER BY movie_id")
        .fetch_all(&app.pool)
        .await
        .unwrap();
    assert_eq!(movies, [1, 3]);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_user_whose_row_is_locked_does_not_keep_users_of_other_queues_waiting(pool: PgPool) {
    let app = app_with_users(pool, 2).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM user_revisions WHERE user_id = 1 FOR UPDATE").execute(&mut *lock).await.unwrap();
    let blocked = start(&app, 1, 1);
    eventually("it waits", async || waiting(&app.pool).await == 1).await;
    assert_eq!(record(&app, 2, 2, 1.0).await.status, 201);
    assert!(!blocked.is_finished());
    lock.rollback().await.unwrap();
    assert_eq!(blocked.await.unwrap().status, 201);
}

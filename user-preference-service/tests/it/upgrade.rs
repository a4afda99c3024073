//! Replicas of the previous release go on working on the newest schema.

use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::{TestApp, eventually};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

async fn run_previous_release(pool: &PgPool) {
    let statements = include_str!("fixtures/previous_release.sql").split_inclusive(';').map(str::trim);
    for statement in statements.filter(|statement| !statement.is_empty()) {
        let rows = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(pool).await;
        assert_eq!(rows.unwrap_or_else(|error| panic!("{error}: {statement}")).len(), 1, "{statement}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_replica_that_is_started_again_ignores_migrations_of_a_newer_release(pool: PgPool) {
    sqlx::raw_sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of a newer release', TRUE, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    MIGRATIONS.run(&pool).await.unwrap();
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_statements_of_the_previous_release_work_on_the_newest_schema(pool: PgPool) {
    run_previous_release(&pool).await;
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn what_the_previous_release_writes_is_in_profiles_revisions_and_the_feed(pool: PgPool) {
    run_previous_release(&pool).await;
    let app = TestApp::new(pool).await;
    let profile = app.get("/internal/v1/users/1/profile").await.json();
    assert_eq!((&profile["seen_movie_ids"], &profile["preferred_language"]), (&json!([7]), &json!("fr")));
    let list = app.get("/api/v1/users/1/interactions").await.json();
    let entry = &list["interactions"][0];
    assert_eq!(profile["feedback"], json!([{ "movie_id": 7, "kind": "watched", "occurred_at": entry["created_at"] }]));
    assert_eq!(entry["occurred_at"], entry["created_at"]);

    let revisions = app.post("/internal/v1/revisions", r#"{"users":[1]}"#).await.json();
    let revision = revisions["revisions"]["1"].as_str().unwrap();
    assert!(revision.ends_with("-2"), "preferences and an interaction: {revision}");
    eventually("it is in the feed", async || {
        app.get("/internal/v1/feedback").await.text().contains(r#"{"user_id":1,"movie_id":7,"kind":"watched""#)
    })
    .await;
}

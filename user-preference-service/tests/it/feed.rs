//! `/internal/v1/feedback`

use std::{collections::HashSet, sync::Arc};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinSet;

use crate::support::{Process, TestApp, eventually, exchange};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;
const PATH: &str = "/internal/v1/feedback";

/// A page of the feed: its first line, the interactions, and its last line.
struct FeedPage {
    first: Value,
    entries: Vec<Value>,
    last: Value,
}

impl FeedPage {
    fn parse(text: &str) -> Self {
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = lines.pop().unwrap();
        assert_eq!((&last["end"], &last["rows"]), (&json!(true), &json!(lines.len() - 1)));
        Self { first: lines.remove(0), entries: lines, last }
    }

    fn next(&self) -> &str {
        self.last["next"].as_str().unwrap()
    }

    fn movies(&self) -> Vec<i64> {
        self.entries.iter().map(|entry| entry["movie_id"].as_i64().unwrap()).collect()
    }
}

async fn read(app: &TestApp, query: &str) -> FeedPage {
    let reply = app.get(&format!("{PATH}{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.headers["content-type"], "application/x-ndjson");
    FeedPage::parse(&reply.text())
}

/// Waits until the transactions that run now, also those of tests in other databases, no longer hold the feed up.
async fn settle(app: &TestApp) {
    let now: String = sqlx::query_scalar("SELECT pg_current_xact_id()::text").fetch_one(&app.pool).await.unwrap();
    eventually("older transactions end", async || {
        sqlx::query_scalar("SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8")
            .bind(&now)
            .fetch_one(&app.pool)
            .await
            .unwrap()
    })
    .await;
}

/// What there is when everything that was recorded can be read.
async fn read_settled(app: &TestApp, query: &str) -> FeedPage {
    settle(app).await;
    read(app, query).await
}

async fn read_after(app: &TestApp, cursor: &str) -> FeedPage {
    read_settled(app, &format!("?after={cursor}")).await
}

async fn like(app: &TestApp, movie: i64) {
    let body = json!({ "movie_id": movie, "interaction_type": "like" }).to_string();
    assert_eq!(app.post("/api/v1/users/1/interactions", body).await.status, 201);
}

async fn run(app: &TestApp, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&app.pool).await.unwrap();
}

async fn app_with_user(pool: PgPool) -> TestApp {
    let app = TestApp::new(pool).await;
    assert_eq!(app.user("ada").await, 1);
    app
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn all_types_are_read_in_the_order_of_recording(pool: PgPool) {
    let app = app_with_user(pool).await;
    for (kind, value) in [("watchlist", None), ("rating", Some(8.5)), ("abandoned", None), ("watched", None)] {
        let body = json!({
            "movie_id": 7,
            "interaction_type": kind,
            "value": value,
            "occurred_at": "2020-01-01T00:00:00Z",
            "recommendation_id": value.map(|_| "list-1"),
        });
        assert_eq!(app.post("/api/v1/users/1/interactions", body.to_string()).await.status, 201);
    }
    settle(&app).await;
    let reply = app.get(PATH).await.text();
    let epoch = FeedPage::parse(&reply).first["epoch"].as_str().unwrap().to_owned();
    let (lines, last) = reply.trim_end().rsplit_once('\n').unwrap();
    insta::assert_snapshot!(lines.replace(&epoch, "[epoch]"), @r#"
    {"epoch":"[epoch]"}
    {"user_id":1,"movie_id":7,"kind":"watchlist","occurred_at":"2020-01-01T00:00:00Z"}
    {"user_id":1,"movie_id":7,"kind":"rating","value":8.5,"occurred_at":"2020-01-01T00:00:00Z","recommendation_id":"list-1"}
    {"user_id":1,"movie_id":7,"kind":"abandoned","occurred_at":"2020-01-01T00:00:00Z"}
    {"user_id":1,"movie_id":7,"kind":"watched","occurred_at":"2020-01-01T00:00:00Z"}
    "#);
    assert!(last.starts_with(&format!(r#"{{"end":true,"rows":4,"next":"{epoch}."#)), "{last}");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_cursor_continues_behind_what_was_read(pool: PgPool) {
    let app = app_with_user(pool).await;
    let nothing = read(&app, "").await;
    assert_eq!((nothing.entries.len(), nothing.first.get("after")), (0, None));
    for movie in 1..=5 {
        like(&app, movie).await;
    }
    let mut cursor = nothing.next().to_owned();
    for expected in [vec![1, 2], vec![3, 4], vec![5], vec![]] {
        let answer = read_settled(&app, &format!("?limit=2&after={cursor}")).await;
        assert_eq!((answer.movies(), answer.first["after"].as_str()), (expected, Some(&*cursor)));
        cursor = answer.next().to_owned();
    }
    like(&app, 6).await;
    assert_eq!(read_after(&app, &cursor).await.movies(), [6]);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn what_commits_late_is_never_skipped(pool: PgPool) {
    let app = app_with_user(pool).await;
    like(&app, 1).await;
    let cursor = read_settled(&app, "").await.next().to_owned();
    let mut late = app.pool.begin().await.unwrap();
    sqlx::query("INSERT INTO user_interactions (user_id, movie_id, interaction_type) VALUES (1, 2, 'like')")
        .execute(&mut *late)
        .await
        .unwrap();
    app.user("bob").await;
    let body = r#"{"movie_id":3,"interaction_type":"like"}"#;
    assert_eq!(app.post("/api/v1/users/2/interactions", body).await.status, 201);
    let meanwhile = read(&app, &format!("?after={cursor}")).await;
    assert_eq!(meanwhile.movies(), [0; 0], "what is younger than a running transaction has to wait for it");
    late.commit().await.unwrap();
    assert_eq!(read_after(&app, meanwhile.next()).await.movies(), [2, 3]);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_reader_that_follows_many_writers_gets_everything_once(pool: PgPool) {
    const WRITERS: i64 = 6;
    const WRITES: i64 = 40;
    let app = Arc::new(app_with_user(pool).await);
    for user in 2..=WRITERS {
        app.user(&format!("user{user}")).await;
    }
    let mut writers = JoinSet::new();
    for user in 1..=WRITERS {
        let app = app.clone();
        writers.spawn(async move {
            for write in 0..WRITES {
                let body = json!({ "movie_id": user * 1000 + write, "interaction_type": "watched" }).to_string();
                assert_eq!(app.post(&format!("/api/v1/users/{user}/interactions"), body).await.status, 201);
            }
        });
    }
    let (mut seen, mut cursor) = (HashSet::new(), read(&app, "?limit=1").await.next().to_owned());
    let mut is_over = false;
    while !is_over {
        while writers.try_join_next().is_some_and(|writer| writer.is_ok()) {}
        is_over = writers.is_empty();
        if is_over {
            settle(&app).await;
        }
        let answer = read(&app, &format!("?after={cursor}")).await;
        for movie in answer.movies() {
            assert!(seen.insert(movie), "{movie} came twice");
        }
        cursor = answer.next().to_owned();
    }
    let all = read_settled(&app, "").await.movies();
    assert_eq!(all.len() as i64, WRITERS * WRITES);
    let read_at_first = all.iter().filter(|movie| !seen.contains(movie)).count();
    assert!(read_at_first <= 1, "{read_at_first} were skipped");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn pages_are_joined_without_a_seam(pool: PgPool) {
    let app = app_with_user(pool).await;
    run(&app, "INSERT INTO user_interactions (user_id, movie_id, interaction_type) SELECT 1, n, 'like' FROM generate_series(1, 4500) n").await;
    let all = read_settled(&app, "").await;
    assert_eq!(all.movies(), (1..=4500).collect::<Vec<_>>());
    let part = read_settled(&app, "?limit=4100").await;
    assert_eq!(part.movies(), (1..=4100).collect::<Vec<_>>());
    assert_eq!(read_after(&app, part.next()).await.movies(), (4101..=4500).collect::<Vec<_>>());
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn after_a_correction_or_in_another_database_the_feed_begins_anew(pool: PgPool) {
    let app = app_with_user(pool).await;
    for movie in 1..=3 {
        like(&app, movie).await;
    }
    let mut before = read_settled(&app, "").await;
    let corrections = [
        ("UPDATE user_interactions SET movie_id = 4 WHERE movie_id = 3", vec![1, 2, 4]),
        ("DELETE FROM user_interactions WHERE movie_id = 1", vec![2, 4]),
        ("TRUNCATE user_interactions", vec![]),
    ];
    for (statement, movies) in corrections {
        run(&app, statement).await;
        let after = read_after(&app, before.next()).await;
        assert_eq!((after.movies(), after.first.get("after")), (movies, None), "{statement}");
        assert_ne!(after.first["epoch"], before.first["epoch"], "{statement}");
        before = after;
    }
    run(&app, "DELETE FROM user_interactions").await;
    assert_eq!(read(&app, "").await.first, before.first, "nothing was there to be deleted");
    like(&app, 5).await;
    let ahead = format!("{}.999999999999.1", before.first["epoch"].as_str().unwrap());
    let answer = read_after(&app, &ahead).await;
    assert_eq!((answer.movies(), answer.first.get("after")), (vec![5], None), "given out before a restore");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn what_a_backup_brought_from_a_server_that_was_ahead_is_read_after_a_start(pool: PgPool) {
    let app = app_with_user(pool.clone()).await;
    like(&app, 1).await;
    let before = read_settled(&app, "").await;
    run(&app, "INSERT INTO user_interactions (user_id, movie_id, interaction_type, transaction_id) VALUES (1, 2, 'like', '999999999999')").await;
    assert_eq!(read(&app, "").await.movies(), [1]);
    let service = Process::start(&pool, &[]).await;
    assert_eq!(read_settled(&app, "").await.movies(), [1, 2]);
    assert_eq!(read_after(&app, before.next()).await.movies(), [1, 2], "in an epoch of its own");
    assert_eq!(exchange(service.address, "GET", "/api/v1/ready", "").await.unwrap().0, 200);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn parameters_that_cannot_be_used_are_refused_by_name(pool: PgPool) {
    let app = app_with_user(pool).await;
    let epoch = "7b0e1a52-3a3c-4d0c-9f4e-1d2c3b4a5f60";
    for (query, code, field) in [
        ("after=", "invalid_cursor", "after"),
        ("after=1", "invalid_cursor", "after"),
        (&*format!("after={epoch}.1"), "invalid_cursor", "after"),
        (&*format!("after={epoch}.-1.1"), "invalid_cursor", "after"),
        (&*format!("after={epoch}.99999999999999999999.1"), "invalid_cursor", "after"),
        ("limit=0", "invalid_parameter", "limit"),
        ("limit=1000001", "invalid_parameter", "limit"),
        ("limit=x", "invalid_parameter", "limit"),
        ("limit=1&limit=1", "repeated_parameter", "limit"),
        ("cursor=1", "unknown_parameter", "cursor"),
    ] {
        let reply = app.get(&format!("{PATH}?{query}")).await;
        let body = reply.json();
        assert_eq!(
            (reply.status.as_u16(), &body["code"], &body["field"]),
            (400, &json!(code), &json!(field)),
            "{query}"
        );
    }
    let elsewhere = read_after(&app, &format!("{epoch}.1.1")).await;
    assert_eq!(elsewhere.first.get("after"), None);
}

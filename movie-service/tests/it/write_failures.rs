//! Writes whose client or database goes away.

use std::time::Duration;

use axum::http::Method;
use futures_util::future::join_all;
use sqlx::{PgPool, Postgres, pool::PoolConnection};

use crate::{
    hung_postgres::{behind, soon},
    support::{TestApp, eventually, proxy::Proxy, stub::Stub},
};

const MOVIE: &str = "/api/v1/movies/1";
const SOON: [(&str, &str); 2] = [("DB_STATEMENT_TIMEOUT_MS", "500"), ("DB_ACQUIRE_TIMEOUT_MS", "500")];

/// Has commits that change movies wait, since a constraint is checked only there, until the lock is given back. No limit
/// of PostgreSQL's ends that.
async fn stalling_disk(pool: &PgPool) -> PoolConnection<Postgres> {
    sqlx::raw_sql(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0
         AS 'BEGIN PERFORM pg_advisory_lock_shared(77); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE ON movies DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    .execute(pool)
    .await
    .unwrap();
    let mut lock = pool.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(77)").execute(&mut *lock).await.unwrap();
    lock
}

#[sqlx::test(migrations = "./migrations")]
async fn a_write_goes_on_when_its_client_goes_away_and_nothing_acknowledged_is_lost(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("SELECT FROM catalogue_state FOR UPDATE").execute(&mut *lock).await.unwrap();
    for (method, path) in [(Method::PATCH, MOVIE), (Method::POST, "/api/v1/movies"), (Method::PUT, MOVIE)] {
        let write = app.write(method, path, r#"{"title":"Abandoned"}"#);
        assert!(tokio::time::timeout(Duration::from_millis(100), write).await.is_err());
    }
    eventually("all wait", || async { app.waiting_for_locks().await == 3 }).await;
    lock.rollback().await.unwrap();
    eventually("all are written", || async {
        app.count("SELECT count(*) FROM movies WHERE title = 'Abandoned'").await == 2
    })
    .await;
    // At moments of any kind, and each acknowledged one is there.
    let mut acknowledged = Vec::new();
    for round in 0..20_u64 {
        let post = |number: u64| {
            let write = app.write(Method::POST, "/api/v1/movies", r#"{"title":"Kept"}"#);
            tokio::time::timeout(Duration::from_micros(300 * (number + 1) * (round % 7 + 1)), write)
        };
        acknowledged.extend(
            join_all((0..4).map(post)).await.into_iter().flatten().map(|reply| reply.json()["id"].as_i64().unwrap()),
        );
    }
    app.write(Method::POST, "/api/v1/movies", r#"{"title":"Kept"}"#).await;
    for id in acknowledged {
        assert_eq!(app.get(&format!("/api/v1/movies/{id}")).await.status, 200);
    }
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    eventually("no transaction is left open", || async { app.count(idle).await == 0 }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_write_that_gets_no_answer_before_its_commit_is_503_and_works_again(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let app = behind(&proxy, &pool, &[]).await;
    app.movie(1, "One", None, None).await;
    for (method, path, body) in [
        (Method::POST, "/api/v1/movies", r#"{"title":"x"}"#),
        (Method::PUT, MOVIE, r#"{"title":"y"}"#),
        (Method::PATCH, MOVIE, r#"{"title":"z"}"#),
        (Method::DELETE, MOVIE, ""),
    ] {
        let mut lock = app.pool.begin().await.unwrap();
        sqlx::raw_sql("SELECT FROM catalogue_state FOR UPDATE").execute(&mut *lock).await.unwrap();
        let freeze = async {
            eventually("it waits", || async { app.waiting_for_locks().await == 1 }).await;
            proxy.freeze();
            lock.commit().await.unwrap();
        };
        let (reply, ()) = tokio::join!(soon(app.write(method.clone(), path, body)), freeze);
        reply.assert_error(503, "database unavailable");
        eventually("its session is gone", || async { app.waiting_for_locks().await == 0 }).await;
        eventually("the same works", || async {
            soon(app.write(method.clone(), path, body)).await.status.is_success()
        })
        .await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_commit_that_gets_no_answer_is_504_and_nothing_old_is_answered(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let app = behind(&proxy, &pool, &[]).await;
    app.movie(1, "One", None, None).await;
    app.get(MOVIE).await;
    let mut lock = stalling_disk(&pool).await;
    let freeze = async {
        eventually("it waits", || async { app.waiting_for_locks().await == 1 }).await;
        proxy.freeze();
        sqlx::query("SELECT pg_advisory_unlock(77)").execute(&mut *lock).await.unwrap();
    };
    let (reply, ()) = tokio::join!(soon(app.write(Method::PATCH, MOVIE, r#"{"title":"Two"}"#)), freeze);
    reply.assert_error(504, "the database did not answer in time; the change may have been made");
    eventually("it was made", || async { app.count("SELECT count(*) FROM movies WHERE title = 'Two'").await == 1 })
        .await;
    eventually("and is seen", || async { soon(app.get(MOVIE)).await.text().contains("\"Two\"") }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_commit_that_takes_longer_than_anybody_waits_is_seen_when_it_is_made(pool: PgPool) {
    let app = TestApp::with(&pool, &SOON).await;
    app.movie(1, "One", None, None).await;
    let mut lock = stalling_disk(&pool).await;
    let reply = soon(app.write(Method::PATCH, MOVIE, r#"{"title":"Two"}"#)).await;
    reply.assert_error(504, "the database did not answer in time; the change may have been made");
    for _ in 0..2 {
        assert_eq!(app.get(MOVIE).await.json()["title"], "One", "cached now");
    }
    sqlx::query("SELECT pg_advisory_unlock(77)").execute(&mut *lock).await.unwrap();
    eventually("it is seen", || async { app.get(MOVIE).await.json()["title"] == "Two" }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sync_whose_commit_takes_longer_is_seen_when_it_is_made(pool: PgPool) {
    let app = TestApp::with(&pool, &SOON).await;
    let mut lock = stalling_disk(&pool).await;
    soon(app.sync(1)).await.assert_error(503, "database unavailable");
    for _ in 0..2 {
        assert_eq!(app.list("").await["total_results"], 0, "cached now");
    }
    sqlx::query("SELECT pg_advisory_unlock(77)").execute(&mut *lock).await.unwrap();
    eventually("it is seen", || async { app.list("").await["total_results"] != 0 }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn runtimes_whose_commit_takes_longer_are_seen_when_it_is_made(pool: PgPool) {
    sqlx::raw_sql("INSERT INTO movies (tmdb_id, title) VALUES (1, 'One')").execute(&pool).await.unwrap();
    let mut lock = stalling_disk(&pool).await;
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &[&tmdb.settings()[..], &SOON].concat()).await;
    eventually("it waits", || async { app.waiting_for_locks().await == 1 }).await;
    let lock_session = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'movie-service-lock-%'";
    eventually("it was given up", || async { app.count(lock_session).await == 0 }).await;
    for _ in 0..2 {
        assert_eq!(app.get(MOVIE).await.json()["duration"], 0, "cached now");
    }
    sqlx::query("SELECT pg_advisory_unlock(77)").execute(&mut *lock).await.unwrap();
    eventually("it is seen", || async { app.get(MOVIE).await.json()["duration"] == 120 }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn without_postgresql_writes_are_503_and_without_redis_they_work(pool: PgPool) {
    let app = TestApp::with(&pool, &[("DB_PORT", "1"), ("DB_ACQUIRE_TIMEOUT_MS", "200")]).await;
    for (method, path) in
        [(Method::POST, "/api/v1/movies"), (Method::PUT, MOVIE), (Method::PATCH, MOVIE), (Method::DELETE, MOVIE)]
    {
        app.write(method, path, r#"{"title":"x"}"#).await.assert_error(503, "database unavailable");
    }
    let app = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    for title in ["a", "b"] {
        let body = format!(r#"{{"title":"{title}"}}"#);
        assert!(app.write(Method::POST, "/api/v1/movies", body.clone()).await.status.is_success());
        assert_eq!(app.write(Method::PATCH, MOVIE, body).await.json()["title"], title);
        assert_eq!(app.get(MOVIE).await.json()["title"], title);
    }
}

//! A PostgreSQL that falls silent: connections stay, nothing comes back, and nobody says so. New connections work.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Method, Request},
};
use futures_util::{StreamExt, future::join_all};
use movie_service::{config::env::Env, database::postgres::PostgresConfig};
use sqlx::PgPool;
use tower::ServiceExt;

use crate::support::{
    TestApp, WAIT_TIMEOUT, eventually,
    jobs::gated,
    proxy::{Proxy, Traffic},
};

pub async fn behind(proxy: &Proxy, pool: &PgPool, more: &[(&str, &str)]) -> TestApp {
    let port = proxy.address.port().to_string();
    let mut settings = vec![
        ("DB_HOST", "127.0.0.1"),
        ("DB_PORT", port.as_str()),
        ("DB_STATEMENT_TIMEOUT_MS", "1000"),
        ("DB_ACQUIRE_TIMEOUT_MS", "1000"),
    ];
    settings.extend_from_slice(more);
    TestApp::with(pool, &settings).await
}

/// With the limits of a service whose settings say nothing of them.
async fn with_default_limits(proxy: &Proxy, pool: &PgPool) -> TestApp {
    let defaults = PostgresConfig::from_env(&mut Env::from_fn(|_| None), "");
    let [statement, acquire] =
        [defaults.statement_timeout, defaults.acquire_timeout].map(|limit| limit.as_millis().to_string());
    let limits = [("DB_STATEMENT_TIMEOUT_MS", statement.as_str()), ("DB_ACQUIRE_TIMEOUT_MS", acquire.as_str())];
    behind(proxy, pool, &limits).await
}

/// Instead of a test that never ends.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(WAIT_TIMEOUT, work).await.expect("an end")
}

/// Has `path` answered by a session that falls silent while it works: it waits for `table` until nobody hears it.
async fn ask_the_silent(app: &TestApp, proxy: &Proxy, path: &str, table: &'static str) {
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql(table).execute(&mut *lock).await.unwrap();
    let freeze = async {
        eventually("it waits", || async { app.waiting_for_locks().await == 1 }).await;
        proxy.freeze();
        lock.commit().await.unwrap();
    };
    let (reply, ()) = tokio::join!(soon(app.get(path)), freeze);
    reply.assert_error(503, "database unavailable");
}

#[sqlx::test(migrations = "./migrations")]
async fn reads_that_get_no_answer_are_503_and_the_same_ones_work_again(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let app = behind(&proxy, &pool, &[]).await;
    app.movie(1, "One", None, None).await;
    let (movies, state) =
        ("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE", "LOCK TABLE catalogue_state IN ACCESS EXCLUSIVE MODE");
    for (path, table) in [("/api/v1/movies", movies), ("/api/v1/movies/1", movies), ("/internal/v1/catalogue", state)] {
        let start = Instant::now();
        ask_the_silent(&app, &proxy, path, table).await;
        assert!(start.elapsed() < Duration::from_secs(10), "{path}: {:?}", start.elapsed());
        // Idle connections are as silent; each costs at most one request.
        eventually("the same request works", || async { soon(app.get(path)).await.status == 200 }).await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_version_of_the_catalogue_is_not_waited_for_without_end(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    // One connection, so that no new one is made instead of the silent one.
    let app = behind(&proxy, &pool, &[("DB_MAX_CONNECTIONS", "1")]).await;
    let ask = || async {
        let request = Request::get("/internal/v1/catalogue").header("if-none-match", "*");
        soon(app.request(request.body(Body::empty()).unwrap())).await
    };
    assert_eq!(ask().await.status, 304);
    let idle = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'movie-service' AND state = 'idle'";
    eventually("the connection is idle", || async { app.count(idle).await > 0 }).await;
    // The pool asks it once more before it is at rest there, and PostgreSQL does not show that.
    tokio::time::sleep(Duration::from_millis(500)).await;
    proxy.freeze();
    ask().await.assert_error(503, "database unavailable");
    eventually("it is known again", || async { ask().await.status == 304 }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_copy_of_the_catalogue_that_falls_silent_breaks_off(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let app = behind(&proxy, &pool, &[]).await;
    app.execute("INSERT INTO movies (tmdb_id, title) SELECT n, repeat('x', 900) FROM generate_series(1, 50000) n")
        .await;
    let request = Request::get("/internal/v1/catalogue").body(Body::empty()).unwrap();
    let mut body = app.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    proxy.freeze();
    let pieces: Vec<_> = soon(body.collect()).await;
    assert!(pieces.last().unwrap().is_err(), "the connection is cut instead of ended");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sync_that_is_cut_off_from_its_sessions_ends_and_the_next_one_works(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let (tmdb, gate) = gated(2).await;
    let app = behind(&proxy, &pool, &tmdb.settings()).await;
    let silence = async {
        eventually("page 1 is stored", || async { app.count("SELECT count(*) FROM movies").await == 20 }).await;
        proxy.freeze();
        gate.add_permits(100);
    };
    let (first, ()) = tokio::join!(soon(app.sync(3)), silence);
    assert_eq!(first.status, 200, "what was stored, and what came through on a new connection");
    // The session that held the lock is as silent, but the lock is not kept by it.
    let next = soon(app.sync(3)).await;
    assert_eq!((next.status.as_u16(), &next.json()["movies_synced"]), (200, &60.into()), "{}", next.text());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sync_that_falls_silent_while_it_stores_ends_and_the_next_one_works(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let app = behind(&proxy, &pool, &[]).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let silence = async {
        // Each attempt falls silent.
        for _ in 0..3 {
            eventually("it waits", || async { app.waiting_for_locks().await == 1 }).await;
            proxy.freeze();
            eventually("it was given up", || async { app.waiting_for_locks().await == 0 }).await;
        }
        lock.rollback().await.unwrap();
    };
    let (reply, ()) = tokio::join!(soon(app.sync(1)), silence);
    reply.assert_error(503, "database unavailable");
    assert_eq!(soon(app.sync(1)).await.status, 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn no_write_waits_longer_than_five_seconds_with_the_default_limits(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let app = with_default_limits(&proxy, &pool).await;
    app.movie(1, "One", None, None).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("SELECT FROM catalogue_state FOR UPDATE").execute(&mut *lock).await.unwrap();
    let write = async |method: Method, path: &str| {
        let start = Instant::now();
        let reply = soon(app.write(method, path, r#"{"title":"x"}"#)).await;
        (reply, start.elapsed())
    };
    let freeze = async {
        eventually("all wait", || async { app.waiting_for_locks().await == 4 }).await;
        proxy.freeze();
    };
    let movie = "/api/v1/movies/1";
    let (post, put, patch, delete, ()) = tokio::join!(
        write(Method::POST, "/api/v1/movies"),
        write(Method::PUT, movie),
        write(Method::PATCH, movie),
        write(Method::DELETE, movie),
        freeze
    );
    for (reply, elapsed) in [post, put, patch, delete] {
        reply.assert_error(503, "database unavailable");
        assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    }
    lock.rollback().await.unwrap();
}

#[sqlx::test(migrations = "./migrations")]
async fn no_read_waits_longer_than_five_seconds_with_the_default_limits(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let app = with_default_limits(&proxy, &pool).await;
    app.movie(1, "One", None, None).await;
    let paths = [
        "/api/v1/movies",
        "/api/v1/movies?with_genres=1&facets=genres",
        "/api/v1/movies?q=one",
        "/api/v1/movies/random",
        "/api/v1/movies/1",
        "/api/v1/movies/1/similar",
        "/api/v1/movies/tmdb/1",
        "/api/v1/genres",
    ];
    let read = async |path: &'static str| {
        let start = Instant::now();
        soon(app.get(path)).await.assert_error(503, "database unavailable");
        assert!(start.elapsed() < Duration::from_secs(5), "{path}: {:?}", start.elapsed());
    };
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies, genres IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let hang = async {
        eventually("all wait", || async { app.waiting_for_locks().await == 8 }).await;
        proxy.set(Traffic::Hung);
    };
    tokio::join!(join_all(paths.map(read)), hang);
    // Now there is no connection any more, and no new one comes about.
    join_all(paths.map(read)).await;
    lock.rollback().await.unwrap();
}

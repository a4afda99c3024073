//! Redis and PostgreSQL that are down, hung or slow.

use std::time::{Duration, Instant};

use movie_service::database::postgres::DatabaseError;
use sqlx::PgPool;

use crate::support::{
    TestApp, eventually,
    proxy::{Proxy, Traffic},
    settings,
};

const DETAIL: &str = "movie:detail:1";

async fn behind(proxy: &Proxy, pool: &PgPool) -> TestApp {
    let mut settings = settings(pool).await;
    settings.insert("REDIS_ADDR".to_owned(), proxy.address.to_string());
    settings.insert("REDIS_TIMEOUT_MS".to_owned(), "100".to_owned());
    TestApp::from_settings(pool, &settings).await
}

async fn title(app: &TestApp) -> String {
    let reply = app.get("/api/v1/movies/1").await;
    assert_eq!(reply.status, 200);
    reply.json()["title"].as_str().unwrap().to_owned()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_transaction_that_paused_too_long_and_a_server_that_only_reads_are_transient_errors(pool: PgPool) {
    for (fault, code) in [
        ("SET LOCAL idle_in_transaction_session_timeout = 50", "25P03"),
        ("SET LOCAL transaction_read_only = on", "25006"),
    ] {
        let mut transaction = pool.begin().await.unwrap();
        sqlx::raw_sql(fault).execute(&mut *transaction).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let error = sqlx::query("DELETE FROM movies").execute(&mut *transaction).await.unwrap_err();
        let found = error.as_database_error().and_then(|error| error.code());
        assert!(found.as_deref().is_none_or(|found| found == code), "{error:?}");
        assert!(DatabaseError::from_write(error).is_transient(), "{fault}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_redis_that_is_cut_or_hangs_costs_little_and_is_used_again(pool: PgPool) {
    for way in [Traffic::Cut, Traffic::Hung] {
        let proxy = Proxy::start(Traffic::Open).await;
        let app = behind(&proxy, &pool).await;
        app.sync(1).await;
        let expected = title(&app).await;
        eventually("it is cached", || async { app.redis_text("GET", &[DETAIL]).await.is_some() }).await;
        proxy.set(way);
        let start = Instant::now();
        for _ in 0..30 {
            assert_eq!(title(&app).await, expected);
            assert_eq!(app.get("/api/v1/movies").await.status, 200);
        }
        // A few waits of 100 ms until it counts as down, then none.
        assert!(start.elapsed() < Duration::from_secs(5), "{way:?}: {:?}", start.elapsed());
        app.redis_do("DEL", &[DETAIL.as_bytes()]).await;
        proxy.set(Traffic::Open);
        eventually("it is used again", || async {
            title(&app).await;
            app.redis_text("GET", &[DETAIL]).await.is_some()
        })
        .await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn it_starts_without_redis_and_uses_it_as_soon_as_it_is_there(pool: PgPool) {
    let proxy = Proxy::start(Traffic::Cut).await;
    let app = behind(&proxy, &pool).await;
    assert_eq!(app.sync(1).await.status, 200);
    title(&app).await;
    proxy.set(Traffic::Open);
    eventually("the cache is used", || async {
        title(&app).await;
        app.redis_text("GET", &[DETAIL]).await.is_some()
    })
    .await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_change_while_redis_is_away_is_never_hidden_by_an_old_entry(pool: PgPool) {
    for way in [Traffic::Cut, Traffic::Hung] {
        let proxy = Proxy::start(Traffic::Open).await;
        let app = behind(&proxy, &pool).await;
        app.sync(1).await;
        let fresh = title(&app).await;
        // An old entry is in Redis, and in PostgreSQL what the next sync will correct.
        app.execute("UPDATE movies SET title = 'Old' WHERE id = 1").await;
        app.redis_do("DEL", &[DETAIL.as_bytes()]).await;
        assert_eq!(title(&app).await, "Old");
        // One read may go past a Redis that was slow to answer; the next one stores it.
        eventually("it is cached", || async {
            title(&app).await;
            app.redis_text("GET", &[DETAIL]).await.is_some()
        })
        .await;
        proxy.set(way);
        assert_eq!(app.sync(1).await.status, 200);
        proxy.set(Traffic::Open);
        for _ in 0..50 {
            assert_eq!(title(&app).await, fresh, "{way:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        eventually("the cache is used again", || async {
            title(&app).await;
            app.redis_text("GET", &[DETAIL]).await.is_some_and(|entry| !entry.ends_with(b"Old"))
        })
        .await;
        assert_eq!(title(&app).await, fresh);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_statement_that_takes_too_long_is_503_and_the_next_one_works(pool: PgPool) {
    let app = TestApp::with(&pool, &[("DB_STATEMENT_TIMEOUT_MS", "200")]).await;
    app.movie(1, "One", None, None).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    app.get("/api/v1/movies").await.assert_error(503, "database unavailable");
    app.get("/api/v1/movies/1").await.assert_error(503, "database unavailable");
    lock.commit().await.unwrap();
    assert_eq!(title(&app).await, "One");
}

#[sqlx::test(migrations = "./migrations")]
async fn an_answer_that_takes_too_long_is_504(pool: PgPool) {
    let app = TestApp::with(&pool, &[("REQUEST_TIMEOUT_SECONDS", "1")]).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    app.get("/api/v1/movies").await.assert_error(504, "the request took too long");
    lock.commit().await.unwrap();
}

#[sqlx::test(migrations = "./migrations")]
async fn sessions_that_are_killed_cost_at_most_a_request_each(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    title(&app).await;
    app.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'movie-service'",
    )
    .await;
    eventually("it works again", || async { app.get("/api/v1/movies?page=2").await.status == 200 }).await;
}

//! Jobs that are cut off: by a crash, by a shutdown, by PostgreSQL. Whoever comes next goes on behind the last page.

use std::time::Duration;

use futures_util::StreamExt;
use movie_service::lifecycle::deadline;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{
    TestApp, eventually,
    jobs::gated,
    proxy::{Proxy, Traffic},
    stub,
    stub::Stub,
};

/// The discover pages that were asked for.
fn pages(tmdb: &Stub) -> Vec<u32> {
    let mut pages: Vec<u32> = tmdb.seen().iter().map(stub::RecordedRequest::page).filter(|page| *page > 0).collect();
    pages.sort_unstable();
    pages
}

/// Starts a job of five pages in a process of its own, as it were, which ends without a word when one page is stored.
async fn crash_after_one_page(pool: &PgPool) {
    let (tmdb, _gate) = gated(2).await;
    let settings = tmdb.settings().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let pool = pool.clone();
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let app = runtime.block_on(async {
            let settings = settings.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
            let app = TestApp::with(&pool, &settings).await;
            app.start_job("pages=5").await;
            eventually("page 1 is stored", || async { app.job(1).await["pages"]["done"] == 1 }).await;
            app
        });
        // Nothing runs any more, and every connection breaks.
        runtime.shutdown_background();
        std::mem::forget(app);
    })
    .await
    .unwrap();
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_that_a_crash_cut_off_is_gone_on_with_behind_its_last_page(pool: PgPool) {
    crash_after_one_page(&pool).await;
    let tmdb = Stub::plain().await;
    let next = TestApp::with(&pool, &tmdb.settings()).await;
    let job = next.ended_job(1).await;
    assert_eq!(
        (&job["state"], &job["pages"], &job["movies"], &job["errors"]),
        (
            &json!("completed"),
            &json!({"total": 5, "done": 5, "failed": 0}),
            &json!({"new": 100, "changed": 0, "unchanged": 0}),
            &json!([])
        )
    );
    assert_eq!(pages(&tmdb), [2, 3, 4, 5]);
}

#[sqlx::test(migrations = "./migrations")]
async fn while_a_job_is_cut_off_nothing_else_begins(pool: PgPool) {
    crash_after_one_page(&pool).await;
    let (tmdb, gate) = gated(1).await;
    let next = TestApp::with(&pool, &tmdb.settings()).await;
    next.sync(1).await.assert_error(409, "a sync is already running");
    next.post_job("pages=1").await.assert_error(409, "a sync is already running");
    gate.add_permits(100);
    assert_eq!(next.ended_job(1).await["state"], "completed");
    assert_eq!(next.sync(1).await.status, 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_that_was_cancelled_while_nobody_worked_on_it_stays_cancelled(pool: PgPool) {
    crash_after_one_page(&pool).await;
    sqlx::raw_sql("UPDATE sync_jobs SET cancel_requested = TRUE").execute(&pool).await.unwrap();
    let tmdb = Stub::plain().await;
    let next = TestApp::with(&pool, &tmdb.settings()).await;
    let job = next.ended_job(1).await;
    assert_eq!((&job["state"], &job["pages"]["done"]), (&json!("cancelled"), &json!(1)));
    assert!(pages(&tmdb).is_empty());
}

/// The next service, its TMDB, and the first job as it ended there.
async fn ended_by_the_next(pool: &PgPool) -> (TestApp, Stub, Value) {
    let tmdb = Stub::plain().await;
    let next = TestApp::with(pool, &tmdb.settings()).await;
    let job = next.ended_job(1).await;
    (next, tmdb, job)
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_is_taken_up_three_times_at_a_page_then_it_has_failed(pool: PgPool) {
    for (before, state) in [(2, "completed"), (3, "failed")] {
        crash_after_one_page(&pool).await;
        sqlx::query("UPDATE sync_jobs SET interruptions = $1 WHERE state = 'running'")
            .bind(before)
            .execute(&pool)
            .await
            .unwrap();
        let (_next, _tmdb, job) = ended_by_the_next(&pool).await;
        assert_eq!(job["state"], state);
        if state == "failed" {
            let error =
                json!([{"year": null, "page": null, "error": "given up: the job was cut off 4 times at this page"}]);
            assert_eq!((&job["errors"], &job["pages"]["done"]), (&error, &json!(1)));
        }
        sqlx::raw_sql("TRUNCATE sync_jobs RESTART IDENTITY; TRUNCATE movies CASCADE").execute(&pool).await.unwrap();
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_whose_plan_cannot_be_read_has_failed_and_is_in_nobodys_way(pool: PgPool) {
    crash_after_one_page(&pool).await;
    sqlx::raw_sql(r#"UPDATE sync_jobs SET plan = '{"shards": 3}', parameters = '{"shards": 3}'"#)
        .execute(&pool)
        .await
        .unwrap();
    let (next, _tmdb, job) = ended_by_the_next(&pool).await;
    let error = "given up: the job was planned by another version of the service";
    assert_eq!(
        (&job["state"], &job["errors"][0]["error"], &job["pages"]["done"]),
        (&json!("failed"), &json!(error), &json!(1))
    );
    assert_eq!(next.sync(1).await.status, 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_that_gets_on_may_be_cut_off_any_number_of_times(pool: PgPool) {
    let (tmdb, gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.start_job("pages=5").await;
    app.execute("UPDATE sync_jobs SET interruptions = 3").await;
    gate.add_permits(1);
    eventually("a page is stored", || async { app.job(1).await["pages"]["done"] == 2 }).await;
    assert_eq!(app.count("SELECT count(*) FROM sync_jobs WHERE interruptions = 0").await, 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn shutdown_leaves_a_job_to_the_next_start(pool: PgPool) {
    // A job's shutdowns do not count against it.
    let (tmdb, gate) = gated(2).await;
    for round in 0..5 {
        let app = TestApp::with(&pool, &tmdb.settings()).await;
        if round == 0 {
            app.start_job("pages=20").await;
        }
        gate.add_permits(1);
        let done = round + 2;
        eventually("a page is stored", || async { app.job(1).await["pages"]["done"].as_i64() >= Some(done) }).await;
        assert!(app.lifecycle.drain(deadline(Duration::from_secs(5))).await, "it stops in time");
        assert_eq!(app.count("SELECT count(*) FROM sync_jobs WHERE state = 'running' AND worker IS NULL").await, 1);
    }
    let tmdb = Stub::plain().await;
    let next = TestApp::with(&pool, &tmdb.settings()).await;
    let job = next.ended_job(1).await;
    assert_eq!((&job["state"], &job["pages"]["done"], &job["errors"]), (&json!("completed"), &json!(20), &json!([])));
    assert_eq!(next.movies().await, 400);
    assert!(!pages(&tmdb).contains(&6), "what is stored is not asked for again");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_replica_that_was_started_before_resumes_the_job_too(pool: PgPool) {
    let (tmdb, _gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let plain = Stub::plain().await;
    let replica = TestApp::with(&pool, &plain.settings()).await;
    let id = app.start_job("years=1994..1995&pages=3").await;
    eventually("page 1 is stored", || async { app.movies().await == 20 }).await;
    app.lifecycle.stop();
    let job = replica.ended_job(id).await;
    assert_eq!((&job["state"], &job["pages"]["done"]), (&json!("completed"), &json!(6)));
    assert_eq!(pages(&plain), [1, 2, 2, 3, 3], "the rest of 1994, and 1995");
}

const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'movie-service%'";

#[sqlx::test(migrations = "./migrations")]
async fn a_job_goes_on_when_all_its_sessions_are_ended(pool: PgPool) {
    let (tmdb, gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let id = app.start_job("pages=5").await;
    for page in 1..5 {
        eventually("a page is stored", || async { app.movies().await == page * 20 }).await;
        app.execute(END_SESSIONS).await;
        gate.add_permits(1);
    }
    eventually("the job ends", || async {
        app.get("/api/v1/admin/sync/jobs/1").await.text().contains("\"completed\"")
    })
    .await;
    let job = app.job(id).await;
    assert_eq!((&job["state"], &job["pages"]["done"], &job["errors"]), (&json!("completed"), &json!(5), &json!([])));
    assert_eq!((&job["movies"]["new"], pages(&tmdb).len()), (&json!(100), 5));
    assert_eq!(app.sync(1).await.status, 200, "the lock is free");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_waits_for_a_database_that_is_away_for_seconds(pool: PgPool) {
    for way in [Traffic::Cut, Traffic::Hung] {
        sqlx::raw_sql("TRUNCATE sync_jobs RESTART IDENTITY; TRUNCATE movies CASCADE").execute(&pool).await.unwrap();
        let proxy = Proxy::postgres().await;
        let port = proxy.address.port().to_string();
        let (tmdb, gate) = gated(2).await;
        let settings = [
            ("DB_HOST", "127.0.0.1"),
            ("DB_PORT", port.as_str()),
            ("DB_STATEMENT_TIMEOUT_MS", "500"),
            ("DB_ACQUIRE_TIMEOUT_MS", "500"),
        ];
        let app = TestApp::with(&pool, &[&tmdb.settings()[..], &settings].concat()).await;
        app.start_job("pages=5").await;
        eventually("page 1 is stored", || async { app.movies().await == 20 }).await;
        let events = app.events(1).await;
        proxy.set(way);
        gate.add_permits(100);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(app.movies().await, 20);
        proxy.set(Traffic::Open);
        let looked = || app.count("SELECT count(*) FROM sync_jobs WHERE state = 'completed' AND pages_done = 5");
        eventually("the job goes on", || async { looked().await == 1 }).await;
        assert_eq!(app.movies().await, 100, "{way:?}");
        assert_eq!(events.collect::<Vec<_>>().await.last().unwrap().0, "end", "who follows it is told");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_worker_whose_lock_another_replica_has_stops_without_a_word(pool: PgPool) {
    let (tmdb, gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let id = app.start_job("pages=5").await;
    eventually("page 1 is stored", || async { app.movies().await == 20 }).await;
    // Its sessions end, and somebody else is faster.
    let mut other = app.pool.acquire().await.unwrap();
    app.execute(END_SESSIONS).await;
    let lock = "SELECT pg_advisory_lock(x'6d6f7601'::bigint)";
    sqlx::raw_sql(lock).execute(&mut *other).await.unwrap();
    gate.add_permits(100);
    eventually("it gives the job back", || async {
        app.count("SELECT count(*) FROM sync_jobs WHERE worker IS NULL").await == 1
    })
    .await;
    assert_eq!(app.count("SELECT count(*) FROM sync_jobs WHERE state = 'running' AND pages_done = 1").await, 1);
    assert_eq!(app.movies().await, 20);
    sqlx::raw_sql("SELECT pg_advisory_unlock_all()").execute(&mut *other).await.unwrap();
    assert_eq!(app.ended_job(id).await["state"], "completed");
    assert_eq!(app.movies().await, 100);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_worker_that_lost_its_job_writes_nothing_more(pool: PgPool) {
    let (tmdb, gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.start_job("pages=5").await;
    eventually("page 1 is stored", || async { app.movies().await == 20 }).await;
    app.execute("UPDATE sync_jobs SET worker = 'another'").await;
    gate.add_permits(100);
    let session = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'movie-service-lock-%'";
    app.lifecycle.stop();
    eventually("it ends", || async { app.count(session).await == 0 }).await;
    assert_eq!(app.movies().await, 20);
    assert_eq!(app.count("SELECT count(*) FROM sync_jobs WHERE state = 'running' AND pages_done = 1").await, 1);
}

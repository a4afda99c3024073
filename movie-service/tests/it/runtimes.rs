//! Runtimes, fetched in the background.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::http::Method;
use movie_service::lifecycle::deadline;
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::support::{TestApp, eventually, stub, stub::Stub};

const MISSING: &str = "SELECT count(*) FROM movies WHERE runtime IS NULL";
const UNASKED: &str = "SELECT count(*) FROM movies WHERE runtime IS NULL AND runtime_checked_at IS NULL";

#[sqlx::test(migrations = "./migrations")]
async fn runtimes_follow_a_sync_and_are_seen_at_once(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.sync(3).await;
    eventually("the runtimes are there", || async { app.count(MISSING).await == 0 }).await;
    eventually("the detail shows it", || async { app.get("/api/v1/movies/60").await.json()["duration"] == 120 }).await;
    assert_eq!(app.get("/api/v1/movies/1").await.json()["duration"], 120, "a cached detail without it is gone");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_known_runtime_is_kept_and_not_asked_for(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.execute("INSERT INTO movies (tmdb_id, title, runtime) VALUES (7, 'Known', 77), (-1, 'Of the sample', NULL)")
        .await;
    app.sync(1).await;
    eventually("the others are there", || async { app.count(MISSING).await == 1 }).await;
    assert_eq!(app.get("/api/v1/movies/1").await.json()["duration"], 77);
    assert_eq!(app.get("/api/v1/movies/1").await.json()["title"], "Movie 7");
    assert_eq!(tmdb.count("/3/movie/7"), 0);
    assert_eq!(tmdb.count("/3/movie/-1"), 0);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_movie_without_a_runtime_at_tmdb_is_not_asked_about_again(pool: PgPool) {
    let tmdb = Stub::start(|request| async move {
        match request.movie() {
            1 => stub::ok(json!({"runtime": 0})),
            2 => stub::ok(json!({"runtime": null})),
            3 => stub::ok(json!({})),
            4 => stub::status(404),
            5 => stub::ok(json!({"runtime": -5})),
            6 => stub::ok(json!({"runtime": "long"})),
            _ => stub::plain(&request, 1),
        }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    for _ in 0..3 {
        app.sync(1).await;
        eventually("all were asked about", || async { app.count(UNASKED).await == 0 }).await;
    }
    assert_eq!(app.count(MISSING).await, 6);
    let untouched = "SELECT count(*) FROM movies WHERE updated_at = created_at";
    assert_eq!(app.count(untouched).await, 6, "asking in vain is no change");
    assert_eq!(tmdb.seen().iter().filter(|request| request.movie() > 0).count(), 20);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_movie_that_gets_another_id_at_tmdb_gets_the_runtime_of_that_one(pool: PgPool) {
    let gate = Arc::new(Semaphore::new(0));
    let passing = gate.clone();
    let tmdb = Stub::start(move |request| {
        let gate = passing.clone();
        async move {
            match request.movie() {
                1 => gate.acquire().await.unwrap().forget(),
                2 => return stub::status(404),
                5001 | 5002 => return stub::ok(json!({"runtime": 7})),
                _ => {}
            }
            stub::plain(&request, 1)
        }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let rename = async |id: i32| {
        let body = format!("{{\"tmdb_id\":{}}}", 5000 + id);
        assert_eq!(app.write(Method::PATCH, &format!("/api/v1/movies/{id}"), body).await.status, 200);
    };
    app.sync(1).await;
    eventually("it is asked about", || async { tmdb.count("/3/movie/1") == 1 }).await;
    rename(1).await;
    gate.add_permits(100);
    eventually("the others are there", || async { app.count(MISSING).await == 2 }).await;
    rename(2).await;
    app.sync(1).await;
    for id in [1, 2] {
        let path = format!("/api/v1/movies/{id}");
        eventually("this one too", || async { app.get(&path).await.json()["duration"] == 7 }).await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn one_failure_does_not_stop_the_others_and_is_made_up_for_by_the_next_sync(pool: PgPool) {
    let failures = Arc::new(AtomicU32::new(0));
    let counted = failures.clone();
    let tmdb = Stub::start(move |request| {
        let failures = counted.clone();
        async move {
            if request.movie() == 5 && failures.fetch_add(1, Ordering::SeqCst) < 2 {
                return stub::status(500);
            }
            stub::plain(&request, 1)
        }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.sync(1).await;
    eventually("the others are there", || async { app.count(MISSING).await == 1 }).await;
    app.sync(1).await;
    eventually("this one too", || async { app.count(MISSING).await == 0 }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn several_are_fetched_at_a_time_but_not_more_than_configured(pool: PgPool) {
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let counted = (now.clone(), most.clone());
    let tmdb = Stub::start(move |request| {
        let (now, most) = counted.clone();
        async move {
            if request.movie() > 0 {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
            stub::plain(&request, 9)
        }
    })
    .await;
    let mut settings = tmdb.settings().to_vec();
    settings.push(("TMDB_RUNTIME_CONCURRENCY", "4"));
    let app = TestApp::with(&pool, &settings).await;
    app.sync(2).await;
    eventually("the runtimes are there", || async { app.count(MISSING).await == 0 }).await;
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

#[sqlx::test(migrations = "./migrations")]
async fn shutdown_keeps_what_was_fetched_and_the_next_start_goes_on(pool: PgPool) {
    let tmdb = Stub::start(|request| async move {
        if request.movie() > 25 { stub::never().await } else { stub::plain(&request, 9) }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.sync(5).await;
    eventually("it hangs at the 26th", || async { tmdb.count("/3/movie/33") == 1 }).await;
    assert!(app.lifecycle.drain(deadline(Duration::from_secs(5))).await, "it stops in time");
    assert_eq!(app.count(MISSING).await, 75, "what was fetched is stored");

    let tmdb = Stub::plain().await;
    let _next = TestApp::with(&pool, &tmdb.settings()).await;
    eventually("the rest is there", || async { app.count(MISSING).await == 0 }).await;
    assert_eq!(tmdb.seen().len(), 75, "and nothing else was asked");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_tmdb_that_gives_out_is_left_alone(pool: PgPool) {
    for (status, most) in [(500, 20 * 2), (401, 8)] {
        let tmdb = Stub::start(move |request| async move {
            if request.movie() > 0 { stub::status(status) } else { stub::plain(&request, 9) }
        })
        .await;
        let app = TestApp::with(&pool, &tmdb.settings()).await;
        app.sync(5).await;
        let asked = || tmdb.seen().iter().filter(|request| request.movie() > 0).count();
        eventually("it has tried", || async { asked() > 0 }).await;
        assert!(app.lifecycle.drain(deadline(Duration::from_secs(5))).await);
        assert!(asked() <= most, "{status}: {}", asked());
        assert_eq!(app.count(MISSING).await, 100);
    }
}

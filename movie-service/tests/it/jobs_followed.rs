//! Jobs are followed by their events, and cancelled, on any replica.

use futures_util::{StreamExt, future::join_all};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    hung_postgres::soon,
    support::{TestApp, eventually, jobs::gated},
};

#[sqlx::test(migrations = "./migrations")]
async fn a_job_is_followed_on_any_replica_until_it_ends(pool: PgPool) {
    let (tmdb, gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let replica = TestApp::with(&pool, &tmdb.settings()).await;
    let id = app.start_job("pages=5").await;
    eventually("page 1 is stored", || async { app.movies().await == 20 }).await;
    for watched in [&app, &replica] {
        let mut events = watched.events(id).await;
        let (name, job) = events.next().await.unwrap();
        let done = job["pages"]["done"].as_i64().unwrap();
        assert_eq!((name.as_str(), &job["state"]), ("progress", &json!("running")), "at once");
        gate.add_permits(1);
        loop {
            let (name, job) = events.next().await.unwrap();
            assert_eq!(name, "progress");
            if job["pages"]["done"] == done + 1 {
                break;
            }
        }
    }
    let (mine, theirs) = (app.events(id).await, replica.events(id).await);
    gate.add_permits(100);
    for events in [mine, theirs] {
        let all: Vec<_> = events.collect().await;
        let (last, before) = all.split_last().unwrap();
        assert!(before.iter().all(|(name, job)| name == "progress" && job["state"] == "running"), "{before:?}");
        assert_eq!(
            (last.0.as_str(), &last.1["state"], &last.1["pages"]["done"]),
            ("end", &json!("completed"), &json!(5))
        );
    }
    let after: Vec<_> = replica.events(id).await.collect().await;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].0.as_str(), &after[0].1["id"]), ("end", &json!(id)));
}

#[sqlx::test(migrations = "./migrations")]
async fn events_end_without_an_end_when_the_service_stops(pool: PgPool) {
    let (tmdb, _gate) = gated(1).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let replica = TestApp::with(&pool, &tmdb.settings()).await;
    let id = app.start_job("pages=5").await;
    let mut events = replica.events(id).await;
    assert_eq!(events.next().await.unwrap().0, "progress");
    replica.lifecycle.stop();
    assert!(events.next().await.is_none());
    assert_eq!(app.job(id).await["state"], "running");
}

#[sqlx::test(migrations = "./migrations")]
async fn events_end_with_the_service_though_the_database_is_silent(pool: PgPool) {
    let (tmdb, _gate) = gated(1).await;
    // The wait is longer than the timeout of this test.
    let app = TestApp::with(&pool, &[&tmdb.settings()[..], &[("DB_STATEMENT_TIMEOUT_MS", "60000")]].concat()).await;
    let id = app.start_job("pages=5").await;
    let mut events = app.events(id).await;
    assert_eq!(events.next().await.unwrap().0, "progress");
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE sync_jobs IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let stop = async {
        eventually("it looks, and so does the worker", || async { app.waiting_for_locks().await > 1 }).await;
        app.lifecycle.stop();
    };
    let (next, ()) = tokio::join!(soon(events.next()), stop);
    assert!(next.is_none(), "{next:?}");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_is_cancelled_on_any_replica_and_keeps_its_pages(pool: PgPool) {
    for hangs_from in [2, 1] {
        let (tmdb, _gate) = gated(hangs_from).await;
        let app = TestApp::with(&pool, &tmdb.settings()).await;
        let replica = TestApp::with(&pool, &tmdb.settings()).await;
        let id = app.start_job("pages=5").await;
        if hangs_from == 2 {
            eventually("page 1 is stored", || async { app.movies().await == 20 }).await;
        }
        let reply = replica.cancel_job(id).await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (202, "no-store"));
        assert_eq!((&reply.json()["cancel_requested"], &reply.json()["id"]), (&json!(true), &json!(id)));
        let job = app.ended_job(id).await;
        assert_eq!(
            (&job["state"], &job["pages"]["failed"], &job["errors"]),
            (&json!("cancelled"), &json!(0), &json!([]))
        );
        assert_eq!(app.movies().await, 20);
        let reply = replica.cancel_job(id).await;
        reply.assert_error(409, "the job has ended");
        assert_eq!(reply.json()["code"], "job_ended");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn something_is_sent_while_nothing_happens(pool: PgPool) {
    let (tmdb, _gate) = gated(1).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let id = app.start_job("pages=5").await;
    let mut events = app.events(id).await;
    assert_eq!(events.next().await.unwrap().0, "progress");
    assert_eq!(events.next().await.unwrap(), (String::new(), Value::Null), "a comment");
}

#[sqlx::test(migrations = "./migrations")]
async fn many_follow_a_job_through_a_pool_of_one_connection(pool: PgPool) {
    let (tmdb, gate) = gated(2).await;
    let app = TestApp::with(&pool, &[&tmdb.settings()[..], &[("DB_MAX_CONNECTIONS", "1")]].concat()).await;
    let id = app.start_job("pages=20").await;
    let followers = join_all((0..200).map(|_| async {
        let mut events = app.events(id).await;
        assert_eq!(events.next().await.unwrap().0, "progress");
        events
    }))
    .await;
    gate.add_permits(100);
    for all in join_all(followers.into_iter().map(|events| events.collect::<Vec<_>>())).await {
        assert_eq!(all.last().unwrap().0, "end");
    }
    assert_eq!(app.job(id).await["pages"]["done"], 20);
}

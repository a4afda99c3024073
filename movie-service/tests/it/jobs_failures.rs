//! How TMDB fails while a job runs: the job says which page and why, and whole pages stay.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, stub, stub::Stub};

type Failure = fn() -> Option<Response>;

fn trickle() -> Response {
    let pieces = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>(" "), ()))
    });
    axum::body::Body::from_stream(pieces).into_response()
}

fn half_a_page() -> String {
    let page = stub::page(3, stub::movies_of(3), 9).to_string();
    page[..page.len() / 2].to_owned()
}

/// What may happen to a page, and what the job says of it. `None` hangs.
const FAILURES: [(Failure, &str); 10] = [
    (|| Some(stub::status(404)), "TMDB answered 404"),
    (|| Some(stub::status(422)), "TMDB answered 422"),
    (|| Some(stub::status(429)), "TMDB answered 429"),
    (|| Some((StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "{}").into_response()), "TMDB answered 429"),
    (|| Some(stub::status(500)), "TMDB answered 500"),
    (|| None, "TMDB did not answer in time"),
    (|| Some(stub::cut(&format!("{} ", half_a_page()), half_a_page().len())), "TMDB's answer was cut off"),
    (|| Some(stub::raw(half_a_page())), "TMDB's answer was cut off"),
    (|| Some(stub::raw("<html>busy</html>")), "TMDB's answer is not the JSON that was expected"),
    (|| Some(trickle()), "TMDB did not answer in time"),
];

/// A TMDB that fails on some pages; of several years, in 1995 only.
async fn failing(pages: &'static [u32], failure: Failure) -> Stub {
    Stub::start(move |request| async move {
        let is_year = !request.query.contains("release_year") || request.query.contains("release_year=1995");
        if pages.contains(&request.page()) && is_year {
            return match failure() {
                Some(response) => response,
                None => stub::never().await,
            };
        }
        stub::plain(&request, 9)
    })
    .await
}

async fn app(pool: &PgPool, tmdb: &Stub) -> TestApp {
    let settings = [("TMDB_MAX_RETRIES", "1"), ("TMDB_TIMEOUT_MS", "300")];
    TestApp::with(pool, &[&tmdb.settings()[..], &settings].concat()).await
}

#[sqlx::test(migrations = "./migrations")]
async fn a_page_that_fails_is_named_with_its_reason_and_the_others_are_stored(pool: PgPool) {
    for (failure, error) in FAILURES {
        let tmdb = failing(&[3], failure).await;
        let app = app(&pool, &tmdb).await;
        let job = app.run_job("pages=5").await;
        assert_eq!(
            (&job["state"], &job["pages"], &job["errors"]),
            (
                &json!("completed"),
                &json!({"total": 5, "done": 4, "failed": 1}),
                &json!([{"year": null, "page": 3, "error": error}])
            )
        );
        assert_eq!(app.movies().await, 80, "{error}");
        assert_eq!(app.count("SELECT count(*) FROM movie_genres").await, 160, "{error}");
        app.execute("TRUNCATE movies CASCADE").await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_year_of_a_page_that_fails_is_named(pool: PgPool) {
    let tmdb = failing(&[1, 2], || Some(stub::status(500))).await;
    let app = app(&pool, &tmdb).await;
    let job = app.run_job("years=1994..1996&pages=3").await;
    let error = |page: u32| json!({"year": 1995, "page": page, "error": "TMDB answered 500"});
    assert_eq!((&job["state"], &job["errors"]), (&json!("completed"), &json!([error(1), error(2)])));
    assert_eq!(job["pages"], json!({"total": 9, "done": 7, "failed": 2}));
    let report = app.send(axum::http::Method::POST, "/api/v1/admin/sync?years=1994..1996&pages=3").await.json();
    assert_eq!(report["failed_pages"], json!([error(1), error(2)]));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_that_stores_nothing_has_failed(pool: PgPool) {
    for (failure, error) in FAILURES {
        let tmdb = failing(&[1, 2], failure).await;
        let app = app(&pool, &tmdb).await;
        let job = app.run_job("pages=2").await;
        let errors: Vec<&Value> = job["errors"].as_array().unwrap().iter().map(|error| &error["error"]).collect();
        assert_eq!((&job["state"], errors), (&json!("failed"), vec![&json!(error); 2]));
        assert_eq!((app.movies().await, app.count("SELECT count(*) FROM genres").await), (0, 0));
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_refused_key_ends_the_job_at_once_and_what_is_stored_stays(pool: PgPool) {
    let tmdb = failing(&[3, 4, 5, 6, 7], || Some(stub::status(401))).await;
    let app = app(&pool, &tmdb).await;
    let job = app.run_job("pages=50").await;
    assert_eq!(
        (&job["state"], &job["pages"]["done"], &job["pages"]["failed"]),
        (&json!("failed"), &json!(2), &json!(1))
    );
    assert_eq!(job["errors"], json!([{"year": null, "page": 3, "error": "TMDB refused the API key"}]));
    assert_eq!(app.movies().await, 40);

    let tmdb = Stub::start(|_| async { stub::status(401) }).await;
    let app = self::app(&pool, &tmdb).await;
    let job = app.run_job("pages=50").await;
    assert_eq!(job["errors"], json!([{"year": null, "page": null, "error": "TMDB refused the API key"}]));
    assert_eq!((&job["state"], tmdb.seen().len()), (&json!("failed"), 1));
    let reply = app.post_job("with_genres=Drama").await;
    assert_eq!(reply.status, 202, "the genres that were stored are known: {}", reply.text());
}

#[sqlx::test(migrations = "./migrations")]
async fn genres_that_nobody_knows_are_asked_for_and_a_tmdb_that_is_away_is_502(pool: PgPool) {
    let tmdb = Stub::start(|_| async { stub::status(500) }).await;
    let app = app(&pool, &tmdb).await;
    app.post_job("with_genres=Drama").await.assert_error(502, "sync failed: TMDB answered 500");
    let tmdb = Stub::plain().await;
    let app = self::app(&pool, &tmdb).await;
    let error = "unknown genre in with_genres, known are: Action, Comedy, Drama";
    app.post_job("with_genres=18").await.assert_error(400, error);
    assert_eq!(app.get("/api/v1/admin/sync/jobs").await.json()["jobs"], json!([]));
}

#[sqlx::test(migrations = "./migrations")]
async fn transient_failures_are_retried_and_cost_no_page(pool: PgPool) {
    let failures = Arc::new(AtomicU32::new(0));
    let counted = failures.clone();
    let tmdb = Stub::start(move |request| {
        let fails = request.page() % 2 == 0 && counted.fetch_add(1, Ordering::SeqCst) < 3;
        async move { if fails { stub::status(503) } else { stub::plain(&request, 9) } }
    })
    .await;
    let settings = [&tmdb.settings()[..], &[("TMDB_MAX_RETRIES", "3")]].concat();
    let app = TestApp::with(&pool, &settings).await;
    let job = app.run_job("pages=9").await;
    assert_eq!(job["pages"], json!({"total": 9, "done": 9, "failed": 0}));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_hundred_errors_are_kept_and_the_others_counted(pool: PgPool) {
    let tmdb = Stub::start(|request| async move {
        if request.page() > 1 { stub::status(404) } else { stub::plain(&request, 500) }
    })
    .await;
    let app = app(&pool, &tmdb).await;
    let job = app.run_job("pages=130").await;
    assert_eq!((&job["state"], &job["pages"]["failed"]), (&json!("completed"), &json!(129)));
    assert_eq!((job["errors"].as_array().unwrap().len(), &job["errors_omitted"]), (100, &json!(29)));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_page_that_the_database_refuses_is_named_and_the_next_one_stored(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.execute("ALTER TABLE movies ADD CHECK (tmdb_id <> 30)").await;
    let job = app.run_job("pages=3").await;
    assert_eq!(job["errors"], json!([{"year": null, "page": 2, "error": "the page could not be stored"}]));
    assert_eq!((&job["state"], app.movies().await), (&json!("completed"), 40));
}

#[sqlx::test(migrations = "./migrations")]
async fn years_that_were_given_up_are_named_too(pool: PgPool) {
    let tmdb = failing(&[1], || Some(stub::status(401))).await;
    let app = app(&pool, &tmdb).await;
    let report = app.send(axum::http::Method::POST, "/api/v1/admin/sync?years=1994..1996&pages=2").await.json();
    let error = |year: u32, page: u32| json!({"year": year, "page": page, "error": "TMDB refused the API key"});
    let given_up = json!([error(1995, 1), error(1995, 2), error(1996, 1)]);
    assert_eq!((&report["pages"], &report["failed_pages"]), (&json!(2), &given_up));
}

//! `movie-service sync` against the real routes, and against gateways that refuse.

use std::process::{Child, Command, Output, Stdio};

use axum::{
    Router,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, eventually, jobs::gated, stub, stub::Stub};

/// Serves a router on a port; its address.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

fn start(url: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_movie-service"));
    command.args(["sync", "--url", url]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn end(command: Child) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.wait_with_output().unwrap()).await.unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

async fn run(url: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    end(start(url, arguments)).await
}

#[sqlx::test(migrations = "./migrations")]
async fn it_follows_a_job_and_says_what_it_came_to(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let url = serve(Router::new().fallback_service(app.router.clone())).await;
    let (code, out, err) = run(&url, &["2"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.starts_with("completed: 2 of 2 pages stored, 0 failed; movies: 40 new, 0 changed, 0 unchanged"),
        "{out}"
    );
    assert!(err.contains("% ") && err.contains("/2 pages"), "plain lines without a terminal: {err}");
    let (code, out, _) = run(&url, &["--years", "1994..1995", "--pages=1", "--language", "en"]).await;
    assert_eq!((code, out.contains("completed: 2 of 2 pages stored")), (Some(0), true), "{out}");
    let job = app.job(2).await;
    assert_eq!(job["parameters"], json!({"pages": 1, "years": "1994..1995", "language": "en"}));
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_that_failed_are_named_and_the_command_fails(pool: PgPool) {
    let tmdb =
        Stub::start(
            |request| async move { if request.page() == 2 { stub::status(404) } else { stub::plain(&request, 9) } },
        )
        .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let url = serve(Router::new().fallback_service(app.router.clone())).await;
    let (code, out, _) = run(&url, &["--pages", "3"]).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("completed: 2 of 3 pages stored, 1 failed"), "{out}");
    assert!(out.contains("    page 2, TMDB answered 404"), "{out}");
}

#[sqlx::test(migrations = "./migrations")]
async fn ctrl_c_cancels_the_job(pool: PgPool) {
    let (tmdb, _gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let url = serve(Router::new().fallback_service(app.router.clone())).await;
    let command = start(&url, &["--pages", "5"]);
    eventually("page 1 is stored", || async { app.movies().await == 20 }).await;
    interrupt(&command);
    let (code, out, err) = end(command).await;
    assert_eq!(code, Some(130));
    assert!(out.contains("cancelled: 1 of 5 pages stored, 0 failed; movies: 20 new"), "{out}");
    assert!(err.contains("asked the job to stop") && err.contains("what is stored stays"), "{err}");
    assert_eq!(app.job(1).await["state"], "cancelled");
}

fn interrupt(command: &Child) {
    let pid = command.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_refused_is_said_in_plain_words(pool: PgPool) {
    let (tmdb, _gate) = gated(1).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let url = serve(Router::new().fallback_service(app.router.clone())).await;
    app.start_job("pages=5").await;
    for (arguments, error) in [
        (["--pages", "1"], "the sync was not started: a sync is already running (HTTP 409)"),
        (["--year", "94"], "the sync was not started: invalid year, expected a year from 1874 to 2100 (HTTP 400)"),
    ] {
        let (code, out, err) = run(&url, &arguments).await;
        assert_eq!((code, out.as_str(), err.trim()), (Some(1), "", error));
    }
    let (code, _, err) = run("http://127.0.0.1:1", &[]).await;
    let error = "the sync was not started: nothing answers at http://127.0.0.1:1; is the platform running?";
    assert_eq!((code, err.trim()), (Some(1), error));
    let (code, _, err) = run(&url, &["--page", "1"]).await;
    assert_eq!((code, err.starts_with("there is no option '--page'")), (Some(2), true), "{err}");
}

#[tokio::test]
async fn a_gateway_that_refuses_is_understood() {
    for (answer, error) in [
        (
            (StatusCode::UNAUTHORIZED, [("retry-after", "")], r#"{"error":"empty bearer token"}"#),
            "the sync was not started: not allowed (HTTP 401): empty bearer token; pass a token with --token",
        ),
        (
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "42")], r#"{"error":"rate limit exceeded"}"#),
            "the sync was not started: too many requests (HTTP 429); try again in 42 s",
        ),
        (
            (StatusCode::BAD_GATEWAY, [("retry-after", "")], "<html>"),
            "the sync was not started: no reason given (HTTP 502)",
        ),
    ] {
        let url = serve(Router::new().fallback(move || async move { answer })).await;
        let (code, _, err) = run(&url, &[]).await;
        assert_eq!((code, err.trim()), (Some(1), error));
    }
}

fn job(state: &str, done: u32) -> Value {
    json!({
        "id": 7, "state": state, "source": "tmdb", "pages": {"total": 2, "done": done, "failed": 0},
        "movies": {"new": 0, "changed": 0, "unchanged": 0}, "runtimes_left": 0, "pages_per_second": 1.0,
        "seconds_left": null, "errors": [], "errors_omitted": 0, "parameters": {"pages": 2},
        "created_at": "2026-01-01T00:00:00Z", "started_at": "2026-01-01T00:00:00Z", "finished_at": null,
        "cancel_requested": false,
    })
}

#[tokio::test]
async fn without_events_the_job_is_polled() {
    let router = Router::new()
        .route("/api/v1/admin/sync", post(|| async { (StatusCode::ACCEPTED, job("running", 0).to_string()) }))
        .route("/api/v1/admin/sync/jobs/7", get(|| async { job("completed", 2).to_string() }))
        .route("/api/v1/admin/sync/jobs/7/events", get(|| async { StatusCode::NOT_FOUND.into_response() }));
    let (code, out, err) = run(&serve(router).await, &[]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("completed: 2 of 2 pages stored, 0 failed; movies: 0 new, 0 changed"), "{out}");
}

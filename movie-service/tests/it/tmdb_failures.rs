//! How TMDB fails, and what lets us in: each failure of a call, the limit, the secrets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{http::StatusCode, response::IntoResponse};
use sqlx::PgPool;

use crate::support::{TestApp, log, stub, stub::Stub};

/// A TMDB that fails in some way so many times, and then recovers.
async fn failing(times: u32, failure: fn(&stub::RecordedRequest) -> Option<axum::response::Response>) -> Stub {
    let failures = Arc::new(AtomicU32::new(0));
    Stub::start(move |request| {
        let failures = failures.clone();
        async move {
            if request.page() == 1 && failures.fetch_add(1, Ordering::SeqCst) < times {
                return match failure(&request) {
                    Some(response) => response,
                    None => stub::never().await,
                };
            }
            stub::plain(&request, 1)
        }
    })
    .await
}

#[sqlx::test(migrations = "./migrations")]
async fn transient_failures_are_retried(pool: PgPool) {
    let failures: [fn(&stub::RecordedRequest) -> Option<axum::response::Response>; 7] = [
        |_| Some(stub::status(429)),
        |_| Some(stub::status(500)),
        |_| Some(stub::status(503)),
        |_| Some(stub::cut(&stub::page(1, stub::movies_of(1), 1).to_string(), 500)),
        |_| Some(stub::cut(&stub::page(1, stub::movies_of(1), 1).to_string(), 0)),
        |_| Some(stub::raw(r#"{"page":1,"results":[{"id":1"#)),
        |_| None,
    ];
    for (number, failure) in failures.into_iter().enumerate() {
        let tmdb = failing(2, failure).await;
        let mut settings = tmdb.settings().to_vec();
        settings.extend([("TMDB_MAX_RETRIES", "2"), ("TMDB_TIMEOUT_MS", "700")]);
        let app = TestApp::with(&pool, &settings).await;
        let report = app.sync(1).await;
        assert_eq!(report.status, 200, "failure {number}: {}", report.text());
        assert_eq!(tmdb.count("/3/discover/movie"), 3, "failure {number}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn what_will_not_pass_is_not_tried_again(pool: PgPool) {
    for (status, error) in [
        (401, "TMDB refused the API key"),
        (404, "sync failed: TMDB answered 404"),
        (422, "sync failed: TMDB answered 422"),
        (204, "sync failed: TMDB answered 204"),
    ] {
        let tmdb = Stub::start(move |request| async move {
            if request.page() > 0 { stub::status(status) } else { stub::plain(&request, 1) }
        })
        .await;
        let app = TestApp::with(&pool, &tmdb.settings()).await;
        app.sync(1).await.assert_error(502, error);
        assert_eq!(tmdb.count("/3/discover/movie"), 1, "{status}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn retry_after_is_obeyed(pool: PgPool) {
    let tmdb =
        failing(1, |_| Some((StatusCode::TOO_MANY_REQUESTS, [("retry-after", "2")], "{}").into_response())).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    assert_eq!(app.sync(1).await.status, 200);
    let asked: Vec<Instant> =
        tmdb.seen().iter().filter(|request| request.page() == 1).map(|request| request.at).collect();
    assert!(asked[1] - asked[0] >= Duration::from_secs(2), "{asked:?}");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_redirect_is_not_followed(pool: PgPool) {
    let elsewhere = Stub::plain().await;
    let target = format!("{}/discover/movie?page=1", elsewhere.url);
    let tmdb = Stub::start(move |request| {
        let target = target.clone();
        async move {
            if request.page() == 0 {
                return stub::plain(&request, 1);
            }
            (StatusCode::MOVED_PERMANENTLY, [("location", target)]).into_response()
        }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.sync(1).await.assert_error(502, "sync failed: TMDB answered 301");
    assert!(elsewhere.seen().is_empty());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_tmdb_that_hangs_or_trickles_is_given_up_in_time(pool: PgPool) {
    let hangs = Stub::start(|_| stub::never()).await;
    let trickles = Stub::start(|_| async {
        let pieces = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>(" "), ()))
        });
        axum::body::Body::from_stream(pieces).into_response()
    })
    .await;
    for tmdb in [hangs, trickles] {
        let mut settings = tmdb.settings().to_vec();
        settings.extend([("TMDB_MAX_RETRIES", "0"), ("TMDB_TIMEOUT_MS", "300")]);
        let app = TestApp::with(&pool, &settings).await;
        let start = Instant::now();
        app.sync(3).await.assert_error(502, "sync failed: TMDB did not answer in time");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_key_is_a_parameter_and_the_token_a_header(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &[("TMDB_BASE_URL", &tmdb.url), ("TMDB_API_KEY", "a key/&=")]).await;
    assert_eq!(app.sync(1).await.status, 200);
    assert!(tmdb.seen().iter().all(|request| request.query.contains("api_key=a+key%2F%26%3D")));
    assert!(tmdb.seen().iter().all(|request| !request.headers.contains_key("authorization")));
    let discover = tmdb.seen().into_iter().find(|request| request.page() == 1).unwrap();
    assert!(discover.query.starts_with("sort_by=popularity.desc&page=1"), "{}", discover.query);

    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &[("TMDB_BASE_URL", &tmdb.url), ("TMDB_ACCESS_TOKEN", "t0ken")]).await;
    assert_eq!(app.sync(1).await.status, 200);
    assert!(tmdb.seen().iter().all(|request| request.headers["authorization"] == "Bearer t0ken"));
    assert!(tmdb.seen().iter().all(|request| !request.query.contains("api_key")));
}

#[sqlx::test(migrations = "./migrations")]
async fn no_second_sees_more_requests_than_allowed(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let mut settings = tmdb.settings().to_vec();
    settings.extend([("TMDB_MAX_REQUESTS_PER_SECOND", "7"), ("TMDB_RUNTIME_CONCURRENCY", "16")]);
    let app = TestApp::with(&pool, &settings).await;
    assert_eq!(app.sync(20).await.json()["pages"], 20);
    let mut asked: Vec<Instant> = tmdb.seen().iter().map(|request| request.at).collect();
    asked.sort();
    for window in asked.windows(8) {
        assert!(window[7] - window[0] >= Duration::from_secs(1), "{:?}", window[7] - window[0]);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn neither_key_nor_token_is_ever_logged_or_answered(pool: PgPool) {
    log::capture();
    let tmdb = Stub::start(|request| async move {
        match (request.page(), request.movie()) {
            (1, _) => stub::plain(&request, 20),
            (2, _) => stub::cut("{\"page\":2}", 3),
            (3, _) => stub::status(500),
            (4, _) => stub::raw("<html>"),
            (5, _) => stub::never().await,
            (_, 1) => stub::status(429),
            _ => stub::plain(&request, 20),
        }
    })
    .await;
    for credential in ["TMDB_API_KEY", "TMDB_ACCESS_TOKEN"] {
        for url in [tmdb.url.as_str(), "http://127.0.0.1:1/3", "http://no-such-host.invalid/3"] {
            let settings = [("TMDB_BASE_URL", url), (credential, stub::KEY), ("TMDB_TIMEOUT_MS", "1500")];
            let app = TestApp::with(&pool, &settings).await;
            tracing::info!(config = ?app.config, "settings");
            let reply = app.sync(6).await;
            assert!(!reply.text().contains(stub::KEY), "{}", reply.text());
            app.lifecycle.drain(movie_service::lifecycle::deadline(Duration::from_secs(10))).await;
        }
    }
    let log = log::captured();
    for expected in ["sync completed", "asking TMDB again", "a page is missing", "sync failed", "TRACE"] {
        assert!(log.contains(expected), "{expected}");
    }
    let line = log.lines().find(|line| line.contains(stub::KEY));
    assert_eq!(line, None);
}

/// Accepts nobody: as many wait in its queue as fit, and the system passes over whoever comes after them.
async fn full_listener() -> (tokio::net::TcpListener, Vec<tokio::net::TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connection) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
    {
        waiting.push(connection.unwrap());
        assert!(waiting.len() < 100, "the queue has no end");
    }
    (listener, waiting)
}

#[sqlx::test(migrations = "./migrations")]
async fn an_address_that_never_accepts_is_given_up_after_the_time_for_connecting(pool: PgPool) {
    let (listener, _waiting) = full_listener().await;
    let url = format!("http://{}/3", listener.local_addr().unwrap());
    let settings = [
        ("TMDB_BASE_URL", url.as_str()),
        ("TMDB_API_KEY", stub::KEY),
        ("TMDB_CONNECT_TIMEOUT_MS", "300"),
        ("TMDB_TIMEOUT_MS", "60000"),
        ("TMDB_MAX_RETRIES", "0"),
    ];
    let app = TestApp::with(&pool, &settings).await;
    let start = Instant::now();
    app.sync(1).await.assert_error(502, "sync failed: TMDB did not answer in time");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

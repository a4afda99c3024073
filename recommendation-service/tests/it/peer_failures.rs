//! Peers that are down, hung or send something unusable.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{Catalogue, PeerBehaviour, Peers, Profile, TestApp, eventually, settings};

const PATH: &str = "/api/v1/users/1/recommendations";

/// User 1 prefers drama and has seen the most popular movie, so that a general list looks different.
async fn app(pool: PgPool) -> TestApp {
    let peers = Peers::start(Catalogue::small()).await;
    peers.set_profile(1, Profile { genres: vec!["Drama"], seen: vec![1], ..Profile::default() });
    TestApp::start(pool, peers).await
}

/// Returns the reason that the list gives.
async fn assert_general(app: &TestApp) -> String {
    let response = app.recommend(1).await;
    assert_eq!(response.movies(), [1, 2, 3, 4]);
    assert!(!String::from_utf8_lossy(&response.body).contains("preferred"));
    let json = response.json();
    assert_eq!(json["degraded"], true);
    json["degraded_reason"].as_str().expect("a reason").to_owned()
}

/// A list made without the profile is neither cached nor the user's snapshot.
async fn assert_no_trace(app: &TestApp) {
    assert!(app.cache_keys().await.is_empty());
    assert!(app.app.lists.flushed().await);
    assert!(app.snapshot(1).await.is_empty());
}

#[sqlx::test(migrations = "./migrations")]
async fn when_user_preference_service_fails_the_list_is_general_and_leaves_no_trace(pool: PgPool) {
    let app = app(pool).await;
    for mode in
        [PeerBehaviour::Status(500), PeerBehaviour::Status(503), PeerBehaviour::Status(204), PeerBehaviour::Truncate]
    {
        app.peers.user_service(mode);
        assert_eq!(assert_general(&app).await, "user-preference-service is unavailable");
    }
    assert_no_trace(&app).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_malformed_profile_gives_a_general_list_without_a_trace(pool: PgPool) {
    let app = app(pool).await;
    let of_another =
        r#"{"user_id":2,"preferred_genres":[],"preferred_language":"en","min_rating":0,"seen_movie_ids":[]}"#;
    for text in ["", "not JSON", "{}", "null", r#"{"user_id":1}"#, of_another] {
        app.peers.user_service(PeerBehaviour::Body(text.into()));
        assert_eq!(assert_general(&app).await, "user-preference-service sent an unreadable profile");
    }
    assert_no_trace(&app).await;
    app.peers.user_service(PeerBehaviour::Ok);
    assert_eq!(app.recommend(1).await.movies(), [2, 3, 4]);
}

#[sqlx::test(migrations = "./migrations")]
async fn when_nobody_listens_the_list_is_general_and_leaves_no_trace(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    settings.insert("USER_PREFERENCE_SERVICE_URL".into(), format!("http://{unused}"));
    let app = TestApp::with(pool, peers, settings).await;
    eventually("the first copy of the catalogue", async || app.app.catalogue.is_loaded()).await;
    for _ in 0..5 {
        assert_general(&app).await;
    }
    assert_no_trace(&app).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_hung_user_preference_service_costs_a_few_requests_its_time_limit_and_then_a_short_probe(pool: PgPool) {
    let app = app(pool).await;
    app.peers.user_service(PeerBehaviour::Hang);
    for _ in 0..3 {
        let started = Instant::now();
        assert_general(&app).await;
        assert!(started.elapsed() < Duration::from_millis(1900), "the limit is one second: {:?}", started.elapsed());
    }
    let (calls, started) = (app.peers.profile_calls(), Instant::now());
    for _ in 0..100 {
        assert_general(&app).await;
    }
    // A hundred time limits would be a hundred seconds; two probes a second are among them.
    let (elapsed, probes) = (started.elapsed(), app.peers.profile_calls() - calls);
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
    assert!(probes as u128 <= 1 + elapsed.as_millis() / 500, "{probes} probes in {elapsed:?}");
    assert_no_trace(&app).await;

    app.peers.user_service(PeerBehaviour::Ok);
    eventually("personal lists again", async || app.recommend(1).await.movies() == [2, 3, 4]).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_very_next_request_after_user_preference_service_is_back_is_personal(pool: PgPool) {
    let app = app(pool).await;
    for _ in 0..3 {
        app.peers.user_service(PeerBehaviour::Status(503));
        for _ in 0..6 {
            assert_general(&app).await;
        }
        // Watched while the breaker is open: it must not be recommended again.
        app.peers.set_profile(1, Profile { seen: vec![1, 2], ..Profile::default() });
        app.peers.user_service(PeerBehaviour::Ok);
        let response = app.recommend(1).await;
        assert_eq!(response.movies(), [3, 4]);
        assert!(response.json().get("degraded").is_none() && response.json().get("degraded_reason").is_none());
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn all_requests_that_wait_for_a_probe_are_personal_when_it_succeeds(pool: PgPool) {
    let app = Arc::new(app(pool).await);
    app.peers.user_service(PeerBehaviour::Status(500));
    for _ in 0..5 {
        assert_general(&app).await;
    }
    app.peers.user_service(PeerBehaviour::Delay(Duration::from_millis(20)));
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let app = app.clone();
        requests.spawn(async move { app.recommend(1).await.movies() });
    }
    assert!(requests.join_all().await.into_iter().all(|movies| movies == [2, 3, 4]));
}

#[sqlx::test(migrations = "./migrations")]
async fn the_request_id_and_the_trace_go_on_to_user_preference_service(pool: PgPool) {
    let app = app(pool).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    app.get_with(PATH, &[("x-request-id", "abc-1"), ("traceparent", trace)]).await;
    let headers = app.peers.profile_headers();
    assert_eq!(
        (&headers["x-request-id"], &headers["traceparent"]),
        (&"abc-1".parse().unwrap(), &trace.parse().unwrap())
    );
    // Another list, as the first one is cached and needs no profile.
    app.get(&format!("{PATH}?limit=3")).await;
    assert_eq!(app.peers.profile_headers()["x-request-id"].len(), 32, "the one that was made here");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_general_list_does_not_replace_a_personal_one(pool: PgPool) {
    let app = app(pool).await;
    let personal = app.recommend(1).await;
    eventually("its snapshot", async || app.snapshot(1).await.len() == 3).await;
    let stored = app.snapshot(1).await;
    app.peers.user_service(PeerBehaviour::Status(500));
    assert_general(&app).await;
    assert_eq!(app.snapshot(1).await, stored);
    app.peers.user_service(PeerBehaviour::Ok);
    assert_eq!(app.recommend(1).await.body, personal.body);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_idle_connection_that_the_peer_closed_costs_nothing(pool: PgPool) {
    // Reads each request, but on every odd connection hangs up instead of answering.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            if number % 2 == 0 {
                // It knows no revisions.
                let (status, body) = match request.starts_with(b"GET") {
                    true => ("200 OK", r#"{"user_id":1,"preferred_genres":[],"min_rating":0,"seen_movie_ids":[1]}"#),
                    false => ("404 Not Found", "{}"),
                };
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
                let _ = stream.write_all((head + body).as_bytes()).await;
            }
        }
    });
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    settings.insert("USER_PREFERENCE_SERVICE_URL".into(), format!("http://{address}"));
    let app = TestApp::with(pool, peers, settings).await;
    eventually("the first copy of the catalogue", async || app.app.catalogue.is_loaded()).await;
    for _ in 0..4 {
        assert_eq!(app.recommend(1).await.movies(), [2, 3, 4]);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn when_movie_service_is_down_answers_come_from_the_copy(pool: PgPool) {
    let app = app(pool).await;
    for mode in [PeerBehaviour::Status(500), PeerBehaviour::Hang] {
        app.peers.movie_service(mode);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(app.recommend(1).await.movies(), [2, 3, 4]);
        assert_eq!(app.get("/api/v1/ready").await.status, StatusCode::OK);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn before_the_first_copy_it_is_503_and_not_ready(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    peers.movie_service(PeerBehaviour::Status(503));
    let settings = settings(&pool, &peers).await;
    let app = TestApp::with(pool, peers, settings).await;
    let response = app.get(PATH).await;
    let expected = (StatusCode::SERVICE_UNAVAILABLE, "movie catalogue not loaded yet".to_owned());
    assert_eq!((response.status, response.error()), expected);
    let ready = app.get("/api/v1/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    insta::assert_json_snapshot!(ready.json());
    app.peers.movie_service(PeerBehaviour::Ok);
    eventually("ready", async || app.get("/api/v1/ready").await.status == StatusCode::OK).await;
    assert_eq!(app.get(PATH).await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "./migrations")]
async fn many_requests_at_once_while_everything_changes_are_all_answered(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    settings.insert("PEER_TIMEOUT_MS".into(), "10000".into());
    settings.insert("PROFILE_TIMEOUT_MS".into(), "10000".into());
    let app = Arc::new(TestApp::with(pool, peers, settings).await);
    eventually("the first copy of the catalogue", async || app.app.catalogue.is_loaded()).await;
    for user in 1..=20 {
        app.peers.set_profile(user, Profile { seen: vec![4], ..Profile::default() });
    }
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..400_i64 {
        let app = app.clone();
        requests.spawn(async move {
            let user = number % 20 + 1;
            if number % 50 == 0 {
                app.peers.set_profile(user, Profile { genres: vec!["Drama"], seen: vec![4], ..Profile::default() });
            }
            let response = app.recommend(user).await;
            let mut movies = response.movies();
            movies.sort_unstable();
            assert_eq!((response.json()["user_id"].as_i64(), movies), (Some(user), vec![1, 2, 3]));
        });
    }
    while let Some(result) = requests.join_next().await {
        result.unwrap();
    }
}

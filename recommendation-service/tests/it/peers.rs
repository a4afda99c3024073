//! Peers that are down, hung or talk nonsense.

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

use crate::support::{Catalogue, Mode, Peers, Profile, TestApp, eventually, settings};

const PATH: &str = "/api/v1/users/1/recommendations";

/// User 1 prefers drama and has seen the most popular movie, so that a general list looks different.
async fn app(pool: PgPool) -> TestApp {
    let peers = Peers::start(Catalogue::small()).await;
    peers.set_profile(1, Profile { genres: vec!["Drama"], seen: vec![1], ..Profile::default() });
    TestApp::start(pool, peers).await
}

async fn assert_general(app: &TestApp) {
    let answer = app.recommend(1).await;
    assert_eq!(answer.movies(), [1, 2, 3, 4]);
    assert!(!String::from_utf8_lossy(&answer.body).contains("preferred"));
}

/// A list made without the profile leaves no trace.
async fn assert_no_trace(app: &TestApp) {
    assert!(app.cache_keys().await.is_empty());
    assert!(app.app.snapshots.is_empty());
    assert!(app.snapshot(1).await.is_empty());
}

#[sqlx::test(migrations = "./migrations")]
async fn when_user_preference_service_fails_the_list_is_general_and_leaves_no_trace(pool: PgPool) {
    let app = app(pool).await;
    for mode in [Mode::Failing(500), Mode::Failing(503), Mode::Failing(204), Mode::Truncated] {
        app.peers.user_service(mode);
        assert_general(&app).await;
    }
    assert_no_trace(&app).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_malformed_profile_gives_a_general_list_without_a_trace(pool: PgPool) {
    let app = app(pool).await;
    let of_another =
        r#"{"user_id":2,"preferred_genres":[],"preferred_language":"en","min_rating":0,"seen_movie_ids":[]}"#;
    for text in ["", "not JSON", "{}", "null", r#"{"user_id":1}"#, of_another] {
        app.peers.user_service(Mode::Saying(text.into()));
        assert_general(&app).await;
    }
    assert_no_trace(&app).await;
    app.peers.user_service(Mode::Well);
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
async fn a_hung_user_preference_service_costs_a_few_requests_its_time_limit_and_then_one_a_second(pool: PgPool) {
    let app = app(pool).await;
    app.peers.user_service(Mode::Hung);
    for _ in 0..3 {
        let started = Instant::now();
        assert_general(&app).await;
        assert!(started.elapsed() < Duration::from_millis(1900), "the limit is one second: {:?}", started.elapsed());
    }
    let (calls, started) = (app.peers.profile_calls(), Instant::now());
    for _ in 0..100 {
        assert_general(&app).await;
    }
    // A hundred time limits would be a hundred seconds; one probe may be among them.
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(app.peers.profile_calls() <= calls + 1);
    assert_no_trace(&app).await;

    app.peers.user_service(Mode::Well);
    eventually("personal lists again", async || app.recommend(1).await.movies() == [2, 3, 4]).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_general_list_does_not_take_the_place_of_a_personal_one(pool: PgPool) {
    let app = app(pool).await;
    let personal = app.recommend(1).await;
    eventually("its snapshot", async || app.snapshot(1).await.len() == 3).await;
    let stored = app.snapshot(1).await;
    app.peers.user_service(Mode::Failing(500));
    assert_general(&app).await;
    assert_eq!(app.snapshot(1).await, stored);
    app.peers.user_service(Mode::Well);
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
            let _ = stream.read(&mut [0; 4096]).await;
            if number % 2 == 0 {
                let body = r#"{"user_id":1,"preferred_genres":[],"min_rating":0,"seen_movie_ids":[1]}"#;
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
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
    for mode in [Mode::Failing(500), Mode::Hung] {
        app.peers.movie_service(mode);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(app.recommend(1).await.movies(), [2, 3, 4]);
        assert_eq!(app.get("/api/v1/ready").await.status, StatusCode::OK);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn before_the_first_copy_it_is_503_and_not_ready(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    peers.movie_service(Mode::Failing(503));
    let settings = settings(&pool, &peers).await;
    let app = TestApp::with(pool, peers, settings).await;
    let answer = app.get(PATH).await;
    let expected = (StatusCode::SERVICE_UNAVAILABLE, "movie catalogue not loaded yet".to_owned());
    assert_eq!((answer.status, answer.error()), expected);
    let ready = app.get("/api/v1/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    insta::assert_json_snapshot!(ready.json());
    app.peers.movie_service(Mode::Well);
    eventually("ready", async || app.get("/api/v1/ready").await.status == StatusCode::OK).await;
    assert_eq!(app.get(PATH).await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "./migrations")]
async fn many_requests_at_once_while_everything_changes_are_all_answered(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    settings.insert("PEER_TIMEOUT_MS".into(), "10000".into());
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
            let answer = app.recommend(user).await;
            let mut movies = answer.movies();
            movies.sort_unstable();
            assert_eq!((answer.json()["user_id"].as_i64(), movies), (Some(user), vec![1, 2, 3]));
        });
    }
    while let Some(result) = requests.join_next().await {
        result.unwrap();
    }
}

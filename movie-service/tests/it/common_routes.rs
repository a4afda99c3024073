//! What all services have in common, and the real server on a port.

use std::time::Duration;

use axum::http::Method;
use movie_service::server;
use sqlx::PgPool;
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpStream};

use crate::support::{TestApp, eventually, stub, stub::Stub};

#[sqlx::test(migrations = "./migrations")]
async fn health_and_readiness_answer(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    assert_eq!(app.get("/api/v1/health").await.text(), r#"{"status":"ok","service":"movie-service"}"#);
    let ready = app.get("/api/v1/ready").await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.text(), r#"{"status":"ready","service":"movie-service","checks":{"postgres":"ok","redis":"ok"}}"#);
}

#[sqlx::test(migrations = "./migrations")]
async fn the_readiness_report_has_latencies_and_is_503_from_the_moment_of_a_shutdown(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    assert_eq!(app.get("/health/live").await.text(), r#"{"status":"ok","service":"movie-service"}"#);
    let report = app.get("/health/ready").await;
    assert_eq!((report.status.as_u16(), &report.json()["status"]), (200, &"ready".into()));
    for name in ["postgres", "redis"] {
        let check = &report.json()["checks"][name];
        assert_eq!(check["status"], "ok", "{name}");
        assert!(check["latency_ms"].as_f64().is_some_and(|millis| millis >= 0.0), "{name}: {check}");
    }
    app.lifecycle.stop();
    let report = app.get("/health/ready").await;
    assert_eq!((report.status.as_u16(), &report.json()["status"]), (503, &"stopping".into()));
    assert_eq!(app.get("/health/live").await.status, 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn without_redis_it_is_ready_and_without_postgresql_it_is_not(pool: PgPool) {
    let app = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    let ready = app.get("/api/v1/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["checks"]["redis"]), (200, &"unavailable".into()));

    let app = TestApp::with(&pool, &[("DB_PORT", "1"), ("DB_ACQUIRE_TIMEOUT_MS", "200")]).await;
    let ready = app.get("/api/v1/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["status"], "unavailable");
    for path in ["/api/v1/movies", "/api/v1/movies/1", "/internal/v1/catalogue"] {
        app.get(path).await.assert_error(503, "database unavailable");
    }
    app.sync(1).await.assert_error(503, "database unavailable");
}

#[sqlx::test(migrations = "./migrations")]
async fn unknown_paths_and_methods_are_refused_as_json(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for path in ["/", "/api/v1", "/API/V1/Movies", "/api/v1/movies/1/2", "/api/v1/admin", "/api/v1/movies//"] {
        app.get(path).await.assert_error(404, "Not Found");
    }
    for (method, path, allow) in [
        (Method::DELETE, "/api/v1/movies", "GET,HEAD,POST"),
        (Method::POST, "/api/v1/movies/1", "GET,HEAD,PUT,PATCH,DELETE"),
        (Method::GET, "/api/v1/admin/sync", "POST"),
        (Method::PUT, "/internal/v1/catalogue", "GET,HEAD"),
    ] {
        let reply = app.send(method, path).await;
        reply.assert_error(405, "Method Not Allowed");
        assert_eq!(reply.header("allow"), allow, "{path}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn head_works_where_get_does_and_one_trailing_slash_makes_no_difference(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    for path in ["/api/v1/movies", "/api/v1/movies/1", "/api/v1/health", "/internal/v1/catalogue"] {
        let head = app.send(Method::HEAD, path).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0), "{path}");
        let slash = app.get(&format!("{path}/")).await;
        assert_eq!((slash.status, slash.body), (head.status, app.get(path).await.body), "{path}/");
    }
    assert_eq!(app.send(Method::POST, "/api/v1/admin/sync/?pages=1").await.status, 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn swagger_ui_and_the_specification_are_served(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let page = app.get("/swagger/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("swagger-ui"));
    let file = app.get("/swagger/doc.yaml").await;
    assert_eq!(file.text(), movie_service::handler::openapi_yaml());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sync_in_flight_is_finished_with_the_page_at_hand_on_shutdown(pool: PgPool) {
    let tmdb = Stub::start(|request| async move {
        if request.page() >= 2 { stub::never().await } else { stub::plain(&request, 9) }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let listener = server::bind(app.config.server.address, false).unwrap().listen().unwrap();
    let address = listener.local_addr().unwrap();
    let (router, config, lifecycle) = (app.router.clone(), app.config.server.clone(), app.lifecycle.clone());
    let stop = lifecycle.stop_token();
    let serving = tokio::spawn(async move { server::serve(listener, router, &config, stop).await });

    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"POST /api/v1/admin/sync?pages=4 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    eventually("the first page is stored", || async { app.count("SELECT count(*) FROM movies").await == 20 }).await;
    lifecycle.stop();

    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(5), client.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(r#""movies_synced":20,"pages":1"#), "{answer}");
    assert!(answer.contains(r#"{"page":2,"error":"the service is stopping"}"#), "{answer}");
    assert!(serving.await.unwrap(), "everything in flight was finished");
    assert!(lifecycle.drain(movie_service::lifecycle::deadline(Duration::from_secs(5))).await);
    assert!(TcpStream::connect(address).await.is_err(), "it accepts nothing any more");
}

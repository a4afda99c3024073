//! What all services have in common: health, errors of routing, HEAD, Swagger UI, request ids.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATIONS")]
async fn health_needs_nothing_and_names_the_service(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let reply = app.get("/api/v1/health").await;
    assert_eq!(
        (reply.status.as_u16(), reply.text().as_str()),
        (200, r#"{"status":"ok","service":"user-preference-service"}"#)
    );
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/json");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn it_is_ready_when_both_servers_answer(pool: PgPool) {
    let reply = TestApp::new(pool).await.get("/api/v1/ready").await;
    assert_eq!(reply.status, 200);
    insta::assert_snapshot!(reply.text(), @r#"{"status":"ready","service":"user-preference-service","checks":{"postgres":"ok","redis":"ok"}}"#);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn it_is_ready_without_redis_but_not_without_postgresql(pool: PgPool) {
    let nowhere = |name| (name, "127.0.0.1:1".to_owned());
    let reply = TestApp::with(pool.clone(), &[nowhere("REDIS_ADDR")]).await.get("/api/v1/ready").await;
    assert_eq!(reply.status, 200);
    insta::assert_snapshot!(reply.text(), @r#"{"status":"ready","service":"user-preference-service","checks":{"postgres":"ok","redis":"unavailable"}}"#);

    let no_database = [("DB_PORT", "1".to_owned()), ("DB_ACQUIRE_TIMEOUT_MS", "200".to_owned())];
    let reply = TestApp::with(pool, &no_database).await.get("/api/v1/ready").await;
    assert_eq!(reply.status, 503);
    insta::assert_snapshot!(reply.text(), @r#"{"status":"unavailable","service":"user-preference-service","checks":{"postgres":"unavailable","redis":"ok"}}"#);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_readiness_report_has_latencies_and_is_503_from_the_moment_of_a_shutdown(pool: PgPool) {
    let app = TestApp::new(pool).await;
    assert_eq!(app.get("/health/live").await.text(), r#"{"status":"ok","service":"user-preference-service"}"#);
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

#[sqlx::test(migrator = "MIGRATIONS")]
async fn an_unknown_path_is_not_found(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for path in ["/", "/api/v1", "/API/V1/users/1", "/api/v1/Users/1", "/api/v1/users/1/ratings", "/api/v1//users/1"] {
        let reply = app.get(path).await;
        assert_eq!(reply.refusal(), (404, "Not Found".to_owned()), "{path}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_wrong_method_is_refused_with_the_allowed_ones(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for (method, path, allowed) in [
        (Method::GET, "/api/v1/users", "POST"),
        (Method::DELETE, "/api/v1/users/1", "GET,HEAD"),
        (Method::PUT, "/api/v1/users/1/preferences", "GET,HEAD,POST"),
        (Method::PATCH, "/api/v1/users/1/interactions", "GET,HEAD,POST"),
        (Method::POST, "/api/v1/health", "GET,HEAD"),
        (Method::POST, "/internal/v1/users/1/profile", "GET,HEAD"),
    ] {
        let reply = app.call(method, path, Body::empty()).await;
        assert_eq!(reply.refusal(), (405, "Method Not Allowed".to_owned()), "{path}");
        assert_eq!(reply.headers[header::ALLOW], allowed, "{path}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn head_works_where_get_does(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    for path in ["", "/preferences", "/interactions"] {
        let path = format!("/api/v1/users/{user}{path}");
        let (get, head) = (app.get(&path).await, app.call(Method::HEAD, &path, Body::empty()).await);
        assert_eq!((get.status, head.status, head.body.len()), (axum::http::StatusCode::OK, get.status, 0), "{path}");
        assert_eq!(get.headers.get(header::CONTENT_LENGTH), head.headers.get(header::CONTENT_LENGTH), "{path}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn one_trailing_slash_makes_no_difference(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let created = app.post("/api/v1/users/", r#"{"username":"ada","email":"a@b"}"#).await;
    assert_eq!(created.status, 201);
    for path in ["/api/v1/users/1", "/api/v1/users/1/preferences", "/api/v1/users/1/interactions", "/api/v1/health"] {
        assert_eq!(app.get(path).await.body, app.get(&format!("{path}/")).await.body, "{path}");
    }
    let reply = app.get("/api/v1/users/1/interactions/?limit=1").await;
    assert_eq!(reply.status, 200);
    assert_eq!(app.get("/api/v1/users/1//").await.status, 404);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_request_id_is_made_or_kept(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let made = app.get("/api/v1/health").await.headers["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(made.len(), 32);
    let request = Request::get("/api/v1/health").header("x-request-id", "mine").body(Body::empty()).unwrap();
    assert_eq!(app.send(request).await.headers["x-request-id"], "mine");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn swagger_ui_and_the_specification_are_served(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let page = app.get("/swagger/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("swagger-ui"));
    let specification = app.get("/swagger/doc.yaml").await;
    assert_eq!(specification.text(), user_preference_service::handler::openapi_yaml());
}

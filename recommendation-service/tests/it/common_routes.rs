//! What all services have in common: health, errors of routing, HEAD, Swagger UI, request ids.

use axum::http::{Method, StatusCode};
use serde_json::json;
use sqlx::PgPool;

use crate::support::{Catalogue, Peers, TestApp};

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

#[sqlx::test(migrations = "./migrations")]
async fn health_and_readiness(pool: PgPool) {
    let app = app(pool).await;
    let health = app.get("/api/v1/health").await;
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(health.json(), json!({"status": "ok", "service": "recommendation-service"}));
    let ready = app.get("/api/v1/ready").await;
    assert_eq!(ready.status, StatusCode::OK);
    insta::assert_json_snapshot!(ready.json());
}

#[sqlx::test(migrations = "./migrations")]
async fn the_readiness_report_has_latencies_and_is_503_from_the_moment_of_a_shutdown(pool: PgPool) {
    let app = app(pool).await;
    assert_eq!(app.get("/health/live").await.json(), json!({"status": "ok", "service": "recommendation-service"}));
    let report = app.get("/health/ready").await;
    assert_eq!((report.status.as_u16(), &report.json()["status"]), (200, &"ready".into()));
    for name in ["postgres", "redis", "catalogue"] {
        let check = &report.json()["checks"][name];
        assert_eq!(check["status"], "ok", "{name}");
        assert!(check["latency_ms"].as_f64().is_some_and(|millis| millis >= 0.0), "{name}: {check}");
    }
    app.app.lifecycle.stop();
    let report = app.get("/health/ready").await;
    assert_eq!((report.status.as_u16(), &report.json()["status"]), (503, &"stopping".into()));
    assert_eq!(app.get("/health/live").await.status, 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn unknown_paths_and_wrong_methods_are_json_errors(pool: PgPool) {
    let app = app(pool).await;
    for path in ["/", "/api/v1/nothing", "/API/V1/Rules", "/api/v1/users/1", "/internal/v1/catalogue"] {
        let response = app.get(path).await;
        assert_eq!((response.status, response.error().as_str()), (StatusCode::NOT_FOUND, "Not Found"), "{path}");
    }
    let rules = app.request(Method::DELETE, "/api/v1/rules").await;
    assert_eq!(
        (rules.status, &rules.headers["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET,HEAD,POST".parse().unwrap())
    );
    for path in ["/api/v1/users/1/recommendations", "/api/v1/health", "/api/v1/rules/1/history"] {
        let response = app.request(Method::POST, path).await;
        assert_eq!(
            (response.status, response.error().as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        );
        assert_eq!(response.headers["allow"], "GET,HEAD", "{path}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn head_works_and_a_trailing_slash_makes_no_difference(pool: PgPool) {
    let app = app(pool).await;
    for path in ["/api/v1/rules", "/api/v1/users/1/recommendations", "/api/v1/health"] {
        let (plain, slash) = (app.get(path).await, app.get(&format!("{path}/")).await);
        assert_eq!((slash.status, &slash.body), (StatusCode::OK, &plain.body), "{path}/");
        let head = app.request(Method::HEAD, path).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
        assert_eq!(head.headers["content-length"], plain.body.len().to_string().as_str(), "{path}");
    }
    assert_eq!(app.get("/api/v1/users/1/recommendations/?limit=2").await.movies().len(), 2);
}

#[sqlx::test(migrations = "./migrations")]
async fn swagger_ui_and_the_specification_are_served(pool: PgPool) {
    let app = app(pool).await;
    let page = app.get("/swagger/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(String::from_utf8_lossy(&page.body).contains("swagger-ui"));
    let yaml = app.get("/swagger/doc.yaml").await;
    assert_eq!(yaml.body, recommendation_service::handler::openapi_yaml());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_request_id_is_kept_or_made(pool: PgPool) {
    let app = app(pool).await;
    let made = app.get("/api/v1/health").await;
    assert_eq!(made.headers["x-request-id"].len(), 32);
}

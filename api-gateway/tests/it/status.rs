//! `GET /api/v1/status`: all services in one answer.

use crate::support::{EchoService, GatewayBuilder, get, send};

const ILL: &str = r#"{"status":"unavailable","service":"movie-service","checks":{"postgres":{"status":"unavailable","latency_ms":2.5}}}"#;

#[tokio::test]
async fn every_service_is_reported_also_when_it_is_ill_away_or_speaks_nonsense() {
    let movies = EchoService::start(ILL).await;
    let users = EchoService::start("no report").await;
    let builder = GatewayBuilder::new().await.movies(movies.address);
    let gateway = builder.set("USER_PREFERENCE_SERVICE_URL", format!("http://{}", users.address)).start().await;

    let response = get(gateway.address, "/api/v1/status").await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    let status = response.json();
    let found: Vec<_> =
        status["services"].as_array().unwrap().iter().map(|one| (&one["service"], &one["status"])).collect();
    assert_eq!(
        serde_json::json!(found),
        serde_json::json!([
            ["api-gateway", "ready"],
            ["movie-service", "unavailable"],
            ["user-preference-service", "unreachable"],
            ["recommendation-service", "unreachable"],
        ])
    );
    assert_eq!(status["services"][0]["checks"]["redis"]["status"], "ok");
    assert_eq!(status["services"][1]["checks"]["postgres"]["latency_ms"], 2.5);
    assert_eq!(movies.seen().iter().filter(|request| request.target == "/health/ready").count(), 1);
}

#[tokio::test]
async fn the_status_needs_a_token_and_counts_against_the_limit() {
    let gateway = GatewayBuilder::new().await.set("RATE_LIMIT_MAX", 1).start().await;
    let without = send(gateway.address, "GET /api/v1/status HTTP/1.1\r\nHost: gateway\r\n\r\n").await;
    assert_eq!((without.status, without.header("x-ratelimit-remaining")), (401, Some("0")));
    assert_eq!(get(gateway.address, "/api/v1/status").await.status, 429);
}

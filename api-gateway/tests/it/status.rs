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
async fn what_the_services_count_is_added_up_from_their_metrics() {
    let movies = EchoService::start("cache_lookups_total{cache=\"movies\",result=\"hit\"} 5").await;
    let builder = GatewayBuilder::new().await;
    let gateway = builder.set("MOVIE_SERVICE_METRICS_URL", format!("http://{}", movies.address)).start().await;
    get(gateway.address, "/api/v1/status").await;
    let numbers = get(gateway.address, "/api/v1/status").await.json()["numbers"].clone();
    assert_eq!(movies.seen().last().unwrap().target, "/metrics");
    assert_eq!(numbers["caches"], serde_json::json!({"movies": {"hits": 5, "misses": 0}}));
    // The counts are those of the process, in which other tests run as well.
    assert!(numbers["requests"]["count"].as_u64().is_some_and(|count| count > 0), "{numbers}");
    assert!(numbers["rate_limit"]["allowed"].as_u64().is_some_and(|count| count > 0), "{numbers}");
}

#[tokio::test]
async fn the_status_needs_a_token_and_counts_against_the_limit() {
    let gateway = GatewayBuilder::new().await.set("RATE_LIMIT_MAX", 1).start().await;
    let without = send(gateway.address, "GET /api/v1/status HTTP/1.1\r\nHost: gateway\r\n\r\n").await;
    assert_eq!((without.status, without.header("x-ratelimit-remaining")), (401, Some("0")));
    assert_eq!(get(gateway.address, "/api/v1/status").await.status, 429);
}

//! The order of what a request passes: preflight, limit, authentication, routing.

use crate::support::{EchoService, GatewayBuilder, TestGateway, TestResponse, get, request, send};

/// A gateway that lets one request pass, and the only service it has.
async fn with_limit_of_one() -> (TestGateway, EchoService) {
    let movies = EchoService::start("movie-service").await;
    (GatewayBuilder::new().await.movies(movies.address).set("RATE_LIMIT_MAX", 1).start().await, movies)
}

async fn plain(gateway: &TestGateway, line: &str, more: &str) -> TestResponse {
    send(gateway.address, format!("{line} HTTP/1.1\r\nHost: gateway\r\n{more}\r\n")).await
}

#[tokio::test]
async fn a_preflight_request_is_204_without_a_token_and_not_counted() {
    let (gateway, movies) = with_limit_of_one().await;
    let preflight = "Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n";
    for path in ["/api/v1/movies", "/api/v1/users/1/preferences", "/nowhere", "*"] {
        let response = plain(&gateway, &format!("OPTIONS {path}"), preflight).await;
        assert_eq!((response.status, response.body.len()), (204, 0), "{path}");
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        let methods = Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        assert_eq!(response.header("access-control-allow-methods"), methods);
        let headers = Some("Authorization, Content-Type, Accept, If-Match, If-None-Match, X-Request-Id");
        assert_eq!(response.header("access-control-allow-headers"), headers);
        assert_eq!(response.header("x-ratelimit-limit"), None);
    }
    let counters: Vec<String> = gateway.redis.command(&["KEYS", "*"]).await;
    assert!(counters.is_empty(), "{counters:?}");
    assert!(movies.seen().is_empty());
    assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 200);
    // Over the limit too.
    assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 429);
    assert_eq!(plain(&gateway, "OPTIONS /api/v1/movies", preflight).await.status, 204);
}

#[tokio::test]
async fn the_limit_comes_before_authentication_and_routing() {
    let (gateway, movies) = with_limit_of_one().await;
    let first = plain(&gateway, "GET /nowhere", "").await;
    assert_eq!((first.status, first.header("x-ratelimit-remaining")), (401, Some("0")));
    for path in ["/api/v1/movies", "/nowhere", "/api/v1/movies/..", "/swagger/.."] {
        assert_eq!(plain(&gateway, &format!("GET {path}"), "").await.status, 429, "{path} without a token");
        assert_eq!(get(gateway.address, path).await.status, 429, "{path} with a token");
    }
    assert!(movies.seen().is_empty());
}

#[tokio::test]
async fn authentication_comes_before_routing() {
    let (movies, builder) = (EchoService::start("movie-service").await, GatewayBuilder::new().await);
    let gateway = builder.movies(movies.address).start().await;
    for path in ["/nowhere", "/api/v1/movies", "/api/v1/admin/sync", "/internal/v1/catalogue"] {
        let response = plain(&gateway, &format!("GET {path}"), "").await;
        assert_eq!(response.status, 401, "{path}");
        assert_eq!(response.text(), r#"{"error":"missing Authorization header","code":"missing_authorization"}"#);
        assert_eq!(response.header("x-ratelimit-limit"), Some("1000000"), "{path}");
    }
    assert!(movies.seen().is_empty());
}

#[tokio::test]
async fn the_three_refusals_of_authentication_have_the_texts_of_the_contract() {
    let (movies, builder) = (EchoService::start("movie-service").await, GatewayBuilder::new().await);
    let gateway = builder.movies(movies.address).start().await;
    let invalid = "invalid Authorization header format, expected 'Bearer <token>'";
    for (header, text) in [
        ("", "missing Authorization header"),
        ("Authorization: Basic eDp5\r\n", invalid),
        ("Authorization: bearer x\r\n", invalid),
        ("Authorization: BearerX\r\n", invalid),
        ("Authorization: Bearer\tx\r\n", invalid),
        ("Authorization: x\r\n", invalid),
        ("Authorization:\r\n", "missing Authorization header"),
        ("Authorization:  \t \r\n", "missing Authorization header"),
        ("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", invalid),
        ("Authorization: Bearer\r\n", "empty bearer token"),
        ("Authorization: Bearer    \r\n", "empty bearer token"),
    ] {
        let response = plain(&gateway, "GET /api/v1/movies", header).await;
        assert_eq!((response.status, response.error().as_str()), (401, text), "{header:?}");
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    assert!(movies.seen().is_empty());
    for token in ["x", "dev-token", "a.b.c", "a b"] {
        let response = plain(&gateway, "GET /api/v1/movies", &format!("Authorization: Bearer {token}\r\n")).await;
        assert_eq!(response.status, 200, "{token}");
        assert_eq!(movies.seen().pop().unwrap().all("authorization"), [format!("Bearer {token}")]);
    }
}

#[tokio::test]
async fn health_and_readiness_are_never_limited() {
    let (gateway, _movies) = with_limit_of_one().await;
    get(gateway.address, "/api/v1/movies").await;
    assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 429);
    for path in ["/health", "/api/v1/health", "/ready", "/api/v1/ready", "/health/live", "/health/ready"] {
        for response in [get(gateway.address, path).await, plain(&gateway, &format!("GET {path}"), "").await] {
            assert_eq!((response.status, response.header("x-ratelimit-limit")), (200, None), "{path}");
        }
    }
    let count: i64 = gateway.redis.command(&["GET", "ratelimit:127.0.0.1"]).await;
    assert_eq!(count, 2);
}

#[tokio::test]
async fn swagger_and_the_index_are_never_limited() {
    let (gateway, _movies) = with_limit_of_one().await;
    get(gateway.address, "/api/v1/movies").await;
    assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 429);
    for path in ["/", "/swagger/", "/swagger/doc.yaml", "/swagger/swagger-initializer.js"] {
        let response = plain(&gateway, &format!("GET {path}"), "").await;
        assert_eq!((response.status, response.header("x-ratelimit-limit")), (200, None), "{path}");
    }
    let count: i64 = gateway.redis.command(&["GET", "ratelimit:127.0.0.1"]).await;
    assert_eq!(count, 2);
}

#[tokio::test]
async fn every_answer_may_be_read_by_pages_of_any_origin() {
    let (gateway, _movies) = with_limit_of_one().await;
    let mut client = gateway.client().await;
    for (path, status) in [("/api/v1/movies", 200), ("/api/v1/movies", 429), ("/health", 200)] {
        let response = client.send(request("GET", path, "Origin: https://app.example\r\n", "")).await;
        assert_eq!((response.status, response.header("access-control-allow-origin")), (status, Some("*")), "{path}");
        assert!(response.header("access-control-expose-headers").unwrap().contains("X-RateLimit-Remaining"));
    }
}

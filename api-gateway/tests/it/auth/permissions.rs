//! The gateway with real tokens: 401, 403, and what services learn of the caller.

use serde_json::json;

use crate::support::{EchoService, GatewayBuilder, TestGateway, TestResponse, get, request, send};

use super::issuer::{Issuer, claims, now};

async fn gateway(issuer: &Issuer) -> (TestGateway, EchoService) {
    let service = EchoService::start("service").await;
    let url = format!("http://{}", service.address);
    let builder = issuer.trusted_by(GatewayBuilder::new().await).movies(service.address);
    let builder = builder.set("USER_PREFERENCE_SERVICE_URL", &url).set("RECOMMENDATION_SERVICE_URL", &url);
    (builder.start().await, service)
}

async fn send_with(gateway: &TestGateway, token: &str, method: &str, path: &str) -> TestResponse {
    let bytes =
        format!("{method} {path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n");
    send(gateway.address, bytes).await
}

#[tokio::test]
async fn a_token_that_is_not_valid_is_401_and_says_so() {
    let issuer = Issuer::new();
    let (gateway, service) = gateway(&issuer).await;
    let expired = issuer.token("EdDSA", "ed", &claims(&[("exp", json!(now() - 60))]));
    for (token, error) in
        [("x", "invalid bearer token"), ("a.b.c", "invalid bearer token"), (&expired, "expired bearer token")]
    {
        let response = send_with(&gateway, token, "GET", "/api/v1/movies").await;
        assert_eq!(response.text(), format!(r#"{{"error":"{error}","code":"invalid_token"}}"#));
        assert_eq!(response.status, 401);
        let challenge = r#"Bearer realm="movie-discovery-platform", error="invalid_token""#;
        assert_eq!(response.header("www-authenticate"), Some(challenge));
    }
    let response = send(gateway.address, "GET /api/v1/movies HTTP/1.1\r\nHost: g\r\n\r\n").await;
    assert_eq!((response.status, response.error().as_str()), (401, "missing Authorization header"));
    assert!(service.seen().is_empty());
    assert_eq!(get(gateway.address, "/health").await.status, 200);
}

#[tokio::test]
async fn what_needs_the_scope_admin_is_403_without_it() {
    let issuer = Issuer::new();
    let (gateway, service) = gateway(&issuer).await;
    let (user, admin) = (issuer.token_for("7", "movies"), issuer.token_for("ops", "movies admin"));
    for (method, path) in [
        ("POST", "/api/v1/movies"),
        ("DELETE", "/api/v1/movies/1"),
        ("POST", "/api/v1/admin/sync"),
        ("PUT", "/api/v1/rules/1"),
        ("POST", "/api/v1/models/train"),
        ("POST", "/api/v1/experiments"),
        ("GET", "/api/v1/users/8"),
        ("GET", "/api/v1/users/8/recommendations"),
        ("POST", "/api/v1/users/08/preferences"),
        // The canonical path decides.
        ("GET", "/api/v1/users/7/../8"),
        ("GET", "/api/v1/users/%38"),
    ] {
        let response = send_with(&gateway, &user, method, path).await;
        let refused = if path.contains("..") { 400 } else { 403 };
        assert_eq!(response.status, refused, "{method} {path}");
        if refused == 403 {
            assert_eq!(response.text(), r#"{"error":"forbidden","code":"forbidden"}"#);
            let challenge = r#"Bearer realm="movie-discovery-platform", error="insufficient_scope""#;
            assert_eq!(response.header("www-authenticate"), Some(challenge));
            assert_eq!(send_with(&gateway, &admin, method, path).await.status, 200, "{method} {path} as admin");
        }
    }
    let passed = service.seen().len();
    for (method, path) in [
        ("GET", "/api/v1/movies"),
        ("GET", "/api/v1/users/7"),
        ("POST", "/api/v1/users/7/interactions"),
        ("POST", "/api/v1/users"),
    ] {
        assert_eq!(send_with(&gateway, &user, method, path).await.status, 200, "{method} {path}");
    }
    assert_eq!(service.seen().len(), passed + 4);
}

#[tokio::test]
async fn services_learn_who_calls_from_the_gateway_alone_and_never_see_the_token() {
    let issuer = Issuer::new();
    let (gateway, service) = gateway(&issuer).await;
    let token = issuer.token_for("7", "movies reviews");
    let lies = "X-User-Id: 1\r\nX-User-Scope: admin\r\nConnection: X-User-Id, X-User-Scope\r\n";
    let bytes = format!("GET /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {token}\r\n{lies}\r\n");
    assert_eq!(send(gateway.address, bytes).await.status, 200);
    let seen = service.seen().remove(0);
    assert_eq!((seen.all("x-user-id"), seen.all("x-user-scope")), (vec!["7"], vec!["movies reviews"]));
    assert!(seen.all("authorization").is_empty());
}

#[tokio::test]
async fn in_mock_mode_everything_is_permitted_and_the_token_is_forwarded() {
    let service = EchoService::start("service").await;
    let gateway = GatewayBuilder::new().await.movies(service.address).start().await;
    assert_eq!(send(gateway.address, request("POST", "/api/v1/admin/sync", "X-User-Id: 1\r\n", "")).await.status, 200);
    let seen = service.seen().remove(0);
    assert_eq!((seen.all("authorization"), seen.all("x-user-id").len()), (vec!["Bearer x"], 0));
}

#[tokio::test]
async fn requests_can_be_counted_by_subject() {
    let issuer = Issuer::new();
    let service = EchoService::start("service").await;
    let builder = issuer.trusted_by(GatewayBuilder::new().await).movies(service.address);
    let gateway = builder.set("RATE_LIMIT_BY", "subject").set("RATE_LIMIT_MAX", 1).start().await;
    for subject in ["7", "8"] {
        let token = issuer.token_for(subject, "");
        for status in [200, 429] {
            assert_eq!(send_with(&gateway, &token, "GET", "/api/v1/movies").await.status, status, "{subject}");
        }
    }
    // Without a valid token the address counts, so that tokens cannot be guessed without end.
    for status in [401, 429] {
        assert_eq!(send_with(&gateway, "x", "GET", "/api/v1/movies").await.status, status);
    }
    let mut keys: Vec<String> = gateway.redis.command(&["KEYS", "*"]).await;
    keys.sort();
    assert_eq!(keys, ["ratelimit:127.0.0.1", "ratelimit:subject:7", "ratelimit:subject:8"]);
}

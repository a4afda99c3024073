//! What a client says that only a gateway may say is not passed on.

use crate::support::{EchoService, GatewayBuilder, TestGateway, get, request, send};

async fn gateway(trusted: &str) -> (TestGateway, EchoService) {
    let movies = EchoService::start("movie-service").await;
    (GatewayBuilder::new().await.movies(movies.address).set("TRUSTED_PROXIES", trusted).start().await, movies)
}

/// Header lines, each with the value `lie`.
fn lies(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name}: lie\r\n")).collect()
}

#[tokio::test]
async fn headers_of_proxies_do_not_pass_when_a_client_sends_them() {
    let names = [
        "X-Forwarded-User",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Forwarded-Server",
        "X-Original-URL",
        "X-Rewrite-URL",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Real-IP",
        "Forwarded",
    ];
    for (trusted, passes) in [("", false), ("127.0.0.1", true)] {
        let (gateway, movies) = gateway(trusted).await;
        assert_eq!(send(gateway.address, request("GET", "/api/v1/movies", &lies(&names), "")).await.status, 200);
        let seen = movies.seen().remove(0);
        for name in names {
            assert_eq!(!seen.all(name).is_empty(), passes, "{name} from a peer that is trusted: {passes}");
        }
    }
}

#[tokio::test]
async fn headers_of_the_gateway_do_not_pass_whoever_sends_them() {
    let names = ["X-User-Id", "X-User-Scope", "X-User-Anything", "X_User_Id", "X-User_Id", "Content_Length", "Proxy"];
    for trusted in ["", "127.0.0.1"] {
        let (gateway, movies) = gateway(trusted).await;
        assert_eq!(send(gateway.address, request("GET", "/api/v1/movies", &lies(&names), "")).await.status, 200);
        let seen = movies.seen().remove(0);
        for name in names {
            assert!(seen.all(name).is_empty(), "{name} with trusted proxies {trusted:?}");
        }
    }
}

#[tokio::test]
async fn a_forwarded_host_with_a_user_is_replaced() {
    let (gateway, movies) = gateway("127.0.0.1").await;
    let line = "X-Forwarded-Host: u:p@evil\r\n";
    assert_eq!(send(gateway.address, request("GET", "/api/v1/movies", line, "")).await.status, 200);
    assert_eq!(movies.seen()[0].all("x-forwarded-host"), ["gateway"]);
}

#[tokio::test]
async fn both_sides_are_told_that_a_message_passed_the_gateway() {
    let (gateway, movies) = gateway("").await;
    let response = send(gateway.address, request("GET", "/api/v1/movies", "Via: 1.0 fred\r\n", "")).await;
    assert_eq!(response.all("via"), ["1.1 api-gateway"]);
    assert_eq!(movies.seen()[0].all("via"), ["1.0 fred", "1.1 api-gateway"]);
    // What the gateway answers itself passed nobody.
    assert!(get(gateway.address, "/health").await.all("via").is_empty());
}

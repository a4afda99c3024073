//! Services with several addresses.

use std::net::SocketAddr;

use axum::{Router, http::StatusCode, routing::get};

use crate::support::{EchoService, GatewayBuilder, TestGateway, eventually, request};

/// Where nobody listens.
const NOBODY: &str = "127.0.0.1:1";

/// A gateway with movie-service at both addresses, checked every so many seconds.
async fn gateway(addresses: [String; 2], health_interval: u32) -> TestGateway {
    let list = addresses.map(|address| format!("http://{address}")).join(", ");
    let builder = GatewayBuilder::new().await.set("MOVIE_SERVICE_URL", list);
    builder.set("UPSTREAM_HEALTH_INTERVAL_SECONDS", health_interval).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_to_all_addresses_of_a_service() {
    let (first, second) = (EchoService::start("first").await, EchoService::start("second").await);
    let gateway = gateway([first.address.to_string(), second.address.to_string()], 0).await;
    let mut client = gateway.client().await;
    for _ in 0..100 {
        assert_eq!(client.send(request("GET", "/api/v1/movies", "", "")).await.status, 200);
    }
    assert!(first.seen().len() > 10 && second.seen().len() > 10, "{} {}", first.seen().len(), second.seen().len());
    let host = first.seen().remove(0).all("host").join(" ");
    assert_eq!(host, first.address.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_where_nobody_listens_costs_no_request_and_is_soon_left_out() {
    let movies = EchoService::start("movie-service").await;
    let gateway = gateway([NOBODY.to_owned(), movies.address.to_string()], 0).await;
    let mut client = gateway.client().await;
    for number in 0..200 {
        let method = ["GET", "POST"][number % 2];
        assert_eq!(client.send(request(method, "/api/v1/movies", "", "")).await.status, 200, "{method} {number}");
    }
    assert_eq!(movies.seen().len(), 200, "each once");
}

/// A service that answers requests, but not its health checks.
async fn unwell_service() -> SocketAddr {
    let app = Router::new()
        .route("/api/v1/health", get(async || StatusCode::SERVICE_UNAVAILABLE))
        .fallback(async || "from the unwell one");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_fails_its_health_checks_gets_no_requests() {
    let (unwell, well) = (unwell_service().await, EchoService::start("well").await);
    let gateway = gateway([unwell.to_string(), well.address.to_string()], 1).await;
    eventually("the unwell address is left out", async || {
        let mut client = gateway.client().await;
        for _ in 0..20 {
            if client.send(request("GET", "/api/v1/movies", "", "")).await.text() != "well" {
                return false;
            }
        }
        true
    })
    .await;
}

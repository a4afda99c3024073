//! The size of request bodies, and bodies that do not arrive.

use std::fmt::Write;

use crate::support::{Client, EchoService, GatewayBuilder, TestGateway, TestResponse, request};

const LIMIT: usize = 100_000;
const HEAD: &str = "POST /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\n";

async fn gateway() -> (TestGateway, EchoService) {
    let movies = EchoService::start("movie-service").await;
    (GatewayBuilder::new().await.movies(movies.address).set("MAX_BODY_BYTES", LIMIT).start().await, movies)
}

async fn with_length(gateway: &TestGateway, length: usize) -> TestResponse {
    let mut client = gateway.client().await;
    client.write(format!("{HEAD}Content-Length: {length}\r\n\r\n{}", "x".repeat(length))).await;
    client.response().await
}

async fn chunked(gateway: &TestGateway, length: usize) -> TestResponse {
    let mut message = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let body = "x".repeat(length);
    for chunk in body.as_bytes().chunks(7_000) {
        write!(message, "{:x}\r\n{}\r\n", chunk.len(), &body[..chunk.len()]).unwrap();
    }
    let mut client = gateway.client().await;
    client.write(message + "0\r\n\r\n").await;
    client.response().await
}

#[tokio::test]
async fn bodies_up_to_the_limit_pass_and_larger_ones_are_413() {
    let (gateway, movies) = gateway().await;
    for (length, status) in [(0, 200), (1, 200), (LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (3 * LIMIT, 413)] {
        for response in [with_length(&gateway, length).await, chunked(&gateway, length).await] {
            assert_eq!(response.status, status, "{length}");
            if status == 413 {
                let expected = r#"{"error":"request body too large","code":"body_too_large"}"#;
                assert_eq!(response.text(), expected);
                assert_eq!(response.header("content-type"), Some("application/json"));
            } else {
                assert_eq!(movies.seen().pop().unwrap().body.unwrap().len(), length);
            }
        }
    }
    assert!(movies.seen().iter().all(|seen| seen.body.as_ref().is_none_or(|body| body.len() <= LIMIT)));
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let (gateway, movies) = gateway().await;
    let mut client = gateway.client().await;
    client.write(format!("{HEAD}Content-Length: 1000000000000\r\n\r\n")).await;
    assert_eq!(client.response().await.status, 413);
    let mut client = gateway.client().await;
    client.write(format!("{HEAD}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", LIMIT + 1)).await;
    assert_eq!(client.response().await.status, 413, "and not 100");
    assert_eq!(movies.connections(), 0);
}

#[tokio::test]
async fn a_client_that_sends_far_too_much_gets_to_read_its_413() {
    let (gateway, _movies) = gateway().await;
    for framing in ["Content-Length: 5000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n4c4b40\r\n"] {
        let mut client = gateway.client().await;
        let message = format!("{HEAD}{framing}{}", "x".repeat(5_000_000));
        // The gateway need not take all of it.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, message.as_bytes()).await;
        assert_eq!(client.try_response(false).await.map(|response| response.status), Some(413), "{framing:?}");
    }
}

#[tokio::test]
async fn an_unread_body_does_not_become_the_next_request() {
    let (gateway, movies) = gateway().await;
    let hidden = "GET /api/v1/movies/hidden HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\n\r\n";
    for line in ["POST /health", "POST /nowhere", "OPTIONS /api/v1/movies", "POST /api/v1/.."] {
        let mut client = Client::connect(gateway.address).await;
        client.write(format!("{line} HTTP/1.1\r\nHost: g\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len())).await;
        let status = client.response().await.status;
        assert!(matches!(status, 405 | 401 | 204 | 400), "{line}: {status}");
        // Either the connection ends, or the next request is the next one.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, &request("GET", "/health", "", "")).await;
        if let Some(response) = client.try_response(false).await {
            assert_eq!((response.status, response.json()["service"].as_str()), (200, Some("api-gateway")), "{line}");
        }
    }
    assert!(movies.seen().is_empty(), "{:?}", movies.seen());
}

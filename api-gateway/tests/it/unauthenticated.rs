//! What a client without a valid token gets, and what it cannot make the gateway do.

use tokio::io::AsyncWriteExt;

use crate::support::{Client, GatewayBuilder, send, soon};

#[tokio::test]
async fn a_401_says_what_to_send() {
    let gateway = GatewayBuilder::new().await.start().await;
    for header in ["", "Authorization: Basic eDp5\r\n", "Authorization: Bearer\r\n"] {
        let response = send(gateway.address, format!("GET /api/v1/movies HTTP/1.1\r\nHost: g\r\n{header}\r\n")).await;
        assert_eq!(response.status, 401);
        assert_eq!(response.header("www-authenticate"), Some(r#"Bearer realm="movie-discovery-platform""#));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_body_without_a_token_only_a_little_is_read() {
    let gateway = GatewayBuilder::new().await.start().await;
    // More than the sockets' buffers hold.
    let length = 30 * 1024 * 1024;
    let mut client = Client::connect(gateway.address).await;
    client.write(format!("POST /api/v1/movies HTTP/1.1\r\nHost: g\r\nContent-Length: {length}\r\n\r\n")).await;
    let written = soon("the body is refused", client.stream.write_all(&vec![b'x'; length])).await;
    assert!(written.is_err(), "all of it was read");
    assert_eq!(client.response().await.status, 401);
}

#[tokio::test]
async fn after_a_small_body_without_a_token_the_connection_goes_on() {
    let gateway = GatewayBuilder::new().await.start().await;
    let mut client = Client::connect(gateway.address).await;
    let body = "x".repeat(60_000);
    for _ in 0..2 {
        let head = format!("POST /api/v1/movies HTTP/1.1\r\nHost: g\r\nContent-Length: {}\r\n\r\n", body.len());
        assert_eq!(client.send(head + &body).await.status, 401);
    }
}

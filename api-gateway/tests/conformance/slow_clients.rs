//! Clients that send next to nothing and hold a connection for it (slowloris, CVE-2007-6750; R-U-Dead-Yet).

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{gateway::Gateway, wire::connect_from};

/// Slow clients beside which others must be served.
const SLOW_CLIENTS: usize = 1000;
/// How long a gateway may bear with one.
const END_TIMEOUT: Duration = Duration::from_secs(60);
/// A head without its end.
const HEAD: &str = "GET /api/v1/movies HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n";
/// A body without its end.
const BODY: &str =
    "POST /api/v1/movies HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\nContent-Length: 100000\r\n\r\nb";

/// Opens slow connections, all from another address than the other clients.
async fn open(gateway: &Gateway, number: usize, beginning: &'static str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..number {
        let mut stream = connect_from([127, 0, 0, 2], gateway.address).await;
        // A gateway with a limit for each address may have closed it already.
        let _ = stream.write_all(beginning.as_bytes()).await;
        streams.push(stream);
    }
    streams
}

/// Sends a byte each second until the gateway closes the connection.
async fn trickle(mut stream: TcpStream, bytes: &'static [u8]) {
    let mut answer = Vec::new();
    for byte in bytes.iter().cycle() {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        // A gateway may answer before it closes.
        match timeout(Duration::from_secs(1), stream.read_buf(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(_)) => sleep(Duration::from_millis(100)).await,
            Err(_) => {}
        }
    }
}

async fn others_are_served(beginning: &'static str, bytes: &'static [u8]) {
    let gateway = Gateway::start();
    let mut slow = JoinSet::new();
    for stream in open(&gateway, SLOW_CLIENTS, beginning).await {
        slow.spawn(trickle(stream, bytes));
    }
    for _ in 0..30 {
        let answer = gateway.get("/api/v1/movies").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        sleep(Duration::from_millis(50)).await;
    }
    slow.abort_all();
}

async fn a_slow_client_is_cut_off(beginning: &'static str, bytes: &'static [u8]) {
    let gateway = Gateway::start();
    let mut slow = JoinSet::new();
    for stream in open(&gateway, 5, beginning).await {
        slow.spawn(trickle(stream, bytes));
    }
    let ended = timeout(END_TIMEOUT, slow.join_all()).await;
    assert!(ended.is_ok(), "a connection is still open after {END_TIMEOUT:?}");
}

#[tokio::test]
async fn cve_2007_6750_others_are_served_beside_1_000_slow_heads() {
    others_are_served(HEAD, b"X-A: a\r\n").await;
}

#[tokio::test]
async fn cve_2007_6750_a_slow_head_is_cut_off() {
    a_slow_client_is_cut_off(HEAD, b"X-A: a\r\n").await;
}

#[tokio::test]
async fn others_are_served_beside_1_000_slow_bodies() {
    others_are_served(BODY, b"b").await;
}

#[tokio::test]
async fn a_slow_body_is_cut_off() {
    a_slow_client_is_cut_off(BODY, b"b").await;
}

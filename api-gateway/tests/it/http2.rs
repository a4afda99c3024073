//! HTTP/2 without TLS on the same port.

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http2::SendRequest,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::JoinHandle,
    time::{Duration, sleep},
};

use crate::support::{EchoService, GatewayBuilder, ScriptedService, TestGateway, soon, upstream::read_head};

type Sender = SendRequest<Full<Bytes>>;

async fn connect(gateway: &TestGateway) -> Sender {
    connect_and_watch(gateway).await.0
}

/// A connection, and what ends with it.
async fn connect_and_watch(gateway: &TestGateway) -> (Sender, JoinHandle<hyper::Result<()>>) {
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    (sender, tokio::spawn(connection))
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(format!("http://movies.example{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

async fn send(sender: &mut Sender, request: Request<Full<Bytes>>) -> (u16, Response<()>, Vec<u8>) {
    let response: Response<Incoming> = soon("a response", sender.send_request(request)).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = soon("its body", body.collect()).await.unwrap().to_bytes().to_vec();
    (parts.status.as_u16(), Response::from_parts(parts, ()), body)
}

const TOKEN: (&str, &str) = ("authorization", "Bearer x");

#[tokio::test]
async fn a_request_is_forwarded_as_in_http_1_1() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut sender = connect(&gateway).await;
    let headers = [TOKEN, ("cookie", "a=1"), ("cookie", "b=2"), ("te", "trailers")];
    let (status, response, _) = send(&mut sender, request("POST", "/api/v1/movies?a=b", &headers, "body")).await;
    assert_eq!((status, response.headers().contains_key("connection")), (200, false));
    let seen = movies.seen().remove(0);
    assert_eq!(
        (&*seen.method, &*seen.target, seen.body.as_deref()),
        ("POST", "/api/v1/movies?a=b", Some(&b"body"[..]))
    );
    assert_eq!(seen.all("cookie"), ["a=1; b=2"]);
    assert_eq!(seen.all("x-forwarded-host"), ["movies.example"]);
}

#[tokio::test]
async fn every_phase_is_the_same_and_a_refusal_ends_one_request_only() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut sender = connect(&gateway).await;
    for (method, path, headers, expected) in [
        ("GET", "/api/v1/movies", vec![], 401),
        ("GET", "/api/v1/%2e%2e/x", vec![TOKEN], 400),
        ("GET", "/api/v1/movies/%2f", vec![TOKEN], 400),
        ("GET", "/health", vec![], 200),
        ("TRACE", "/api/v1/movies", vec![TOKEN], 405),
        ("GET", "/api/v1/movies", vec![TOKEN], 200),
    ] {
        let (status, response, body) = send(&mut sender, request(method, path, &headers, "")).await;
        assert_eq!(status, expected, "{method} {path}: {}", String::from_utf8_lossy(&body));
        assert!(response.headers().contains_key("x-request-id"));
    }
    let names: Vec<String> = (0..101).map(|number| format!("x-{number}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(send(&mut sender, request("GET", "/health", &many, "")).await.0, 431);
    assert_eq!(movies.seen().len(), 1);
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let sender = connect(&gateway).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut sender = sender.clone();
        requests.spawn(async move { send(&mut sender, request("GET", "/api/v1/movies", &[TOKEN], "")).await.0 });
    }
    assert!(requests.join_all().await.into_iter().all(|status| status == 200));
}

#[tokio::test]
async fn a_preface_or_a_request_that_comes_byte_by_byte_is_understood() {
    let gateway = GatewayBuilder::new().await.start().await;
    let mut client = gateway.client().await;
    for byte in b"PUT /health HTTP/1.1\r\nHost: g\r\n\r\n" {
        client.write([*byte]).await;
        sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(client.response().await.status, 405);
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    for piece in ["P", "RI * HT", "TP/2.0\r\n\r\nSM\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(20)).await;
    }
    // An empty SETTINGS frame, which the server answers with its own.
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let mut frame = [0; 9];
    soon("a frame", tokio::io::AsyncReadExt::read_exact(&mut stream, &mut frame)).await.unwrap();
    assert_eq!(frame[3], 4, "{frame:?}");
}

#[tokio::test]
async fn a_connection_without_a_request_for_too_long_is_closed_but_not_one_that_waits_for_a_response() {
    let movies = ScriptedService::start(|mut stream, _| async move {
        read_head(&mut stream).await;
        sleep(Duration::from_secs(3)).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let builder = GatewayBuilder::new().await.movies(movies.address).set("HEADER_READ_TIMEOUT_SECONDS", 1);
    let gateway = builder.start().await;
    let (mut sender, connection) = connect_and_watch(&gateway).await;
    assert_eq!(send(&mut sender, request("GET", "/api/v1/movies", &[TOKEN], "")).await.0, 200);
    soon("the end of the idle connection", connection).await.unwrap().unwrap();
}

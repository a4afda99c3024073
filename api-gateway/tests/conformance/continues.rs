//! `Expect: 100-continue`: neither the client nor the connections to the upstream may get stuck on it.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::{
    gateway::{Gateway, request},
    upstream::MARK,
    wire::{parse, statuses},
};

/// Fails unless later requests get answers of their own: the upstream says which target it answers.
async fn later_requests_get_their_own_answers(gateway: &Gateway) {
    for number in 0..20 {
        let path = format!("/api/v1/movies/{number}");
        let answer = gateway.get(&path).await;
        assert_eq!((answer.status, String::from_utf8_lossy(&answer.body).as_ref()), (200, path.as_str()));
    }
}

#[tokio::test]
async fn cve_2024_24791_a_refusal_instead_of_100_continue_does_not_spoil_the_connection() {
    let gateway = Gateway::start();
    for _ in 0..10 {
        let more = "Expect: 100-continue\r\nContent-Length: 1000\r\n";
        let answers = gateway.send(request("POST", "/api/v1/movies/early", more, "")).await;
        assert!(statuses(&answers).iter().all(|status| *status >= 400), "{answers:?}");
        later_requests_get_their_own_answers(&gateway).await;
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it_or_an_answer() {
    let gateway = Gateway::start();
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    let more = "Expect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n";
    stream.write_all(request("POST", "/api/v1/movies", more, "").as_bytes()).await.unwrap();
    let mut read = Vec::new();
    timeout(Duration::from_secs(10), stream.read_buf(&mut read)).await.expect("it is told to go on").unwrap();
    if parse(&read)[0].status == 100 {
        stream.write_all(b"body").await.unwrap();
        timeout(Duration::from_secs(10), stream.read_to_end(&mut read)).await.expect("an answer").unwrap();
        let answers = parse(&read);
        assert_eq!((statuses(&answers), answers.last().unwrap().header(MARK)), (vec![200], Some("upstream")));
        assert_eq!(gateway.seen().pop().unwrap().body.as_deref(), Some(&b"body"[..]));
    }
    later_requests_get_their_own_answers(&gateway).await;
}

#[tokio::test]
async fn cve_2025_32094_odd_expectations_smuggle_nothing() {
    let gateway = Gateway::start();
    let smuggled = "GET /api/v1/movies/smuggled HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n\r\n";
    let length = smuggled.len();
    for (method, more) in [
        ("OPTIONS", "Expect: 100-continue\r\n"),
        ("GET", "Expect: 100-continue\r\n"),
        ("POST", "Expect: y 100-continue\r\n"),
        ("POST", "Expect:\r\n 100-continue\r\n"),
        ("POST", "Expect: 100-continue\r\nExpect: 100-continue\r\n"),
        ("POST", "Expect: 200-ok\r\n"),
        ("HEAD", "Expect: 100-continue\r\n"),
    ] {
        let more = format!("{more}Content-Length: {length}\r\n");
        gateway.send(request(method, "/api/v1/movies", &more, "") + smuggled).await;
        let seen = gateway.seen();
        assert!(seen.iter().all(|seen| !seen.target().contains("smuggled")), "{method} {more:?}: {seen:?}");
        later_requests_get_their_own_answers(&gateway).await;
        gateway.upstream.forget();
    }
}

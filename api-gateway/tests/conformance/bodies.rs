//! Messages that are small on the wire and expensive for who unpacks them.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use futures_util::future::join_all;

use crate::{
    gateway::{Gateway, request},
    upstream::BOMB,
    wire::{exchange, statuses},
};

/// What a small body grows to when somebody inflates it.
const INFLATED_BYTES: usize = 256 << 20;
/// More memory than this gateway may need for such a body.
const MEMORY_KIB: u64 = 64 << 10;

fn gzip_of_zeros() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..INFLATED_BYTES / zeros.len() {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

#[tokio::test]
async fn cve_2022_29225_nothing_is_inflated_without_a_limit() {
    let (gateway, gzip) = (Gateway::start(), gzip_of_zeros());
    gateway.upstream.answer_bomb_with(&gzip);
    gateway.get("/api/v1/movies").await;
    let before = gateway.peak_memory();

    let head =
        request("POST", "/api/v1/movies", &format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", gzip.len()), "");
    let message = [head.as_bytes(), &gzip].concat();
    let answers = join_all((0..4).map(|_| exchange(gateway.address, &message))).await;
    for seen in gateway.seen().iter().filter(|seen| seen.head.starts_with("POST")) {
        assert_eq!(seen.all("content-encoding"), ["gzip"]);
        assert!(seen.body.as_deref() == Some(&gzip), "the body was changed: {}", seen.head);
    }
    let statuses: Vec<_> = answers.iter().map(|answers| statuses(answers)).collect();
    assert!(statuses.iter().all(|statuses| statuses.len() == 1 && statuses[0] < 500), "{statuses:?}");

    for more in ["Accept-Encoding: gzip\r\n", "Accept-Encoding: identity\r\n", "Accept-Encoding: br\r\n"] {
        let path = format!("/api/v1/movies{BOMB}");
        let answers = gateway.send(request("GET", &path, &format!("{more}Connection: close\r\n"), "")).await;
        let unchanged = answers.len() == 1 && answers[0].status == 200 && answers[0].body == gzip;
        assert!(unchanged || answers.iter().all(|answer| answer.status >= 400), "{more:?}: {}", answers[0].body.len());
    }
    if let (Some(before), Some(after)) = (before, gateway.peak_memory()) {
        assert!(after - before < MEMORY_KIB, "{before} KiB before, {after} KiB after");
    }
}

#[tokio::test]
async fn cve_2019_15226_ten_thousand_tiny_headers_are_refused_and_others_served() {
    let gateway = Gateway::start();
    let headers: String = (0..10_000).map(|number| format!("a{}:\r\n", number % 10)).collect();
    let message = request("GET", "/api/v1/movies/tiny", &headers, "");
    let refused = join_all((0..50).map(|_| exchange(gateway.address, message.as_bytes())));
    let served = join_all((0..50).map(|_| gateway.get("/api/v1/movies")));
    let (refused, served) = tokio::join!(refused, served);
    // A gateway may close before it has read everything; then its answer can be lost.
    let is_refusal = |status: &u16| (400..500).contains(status);
    assert!(refused.iter().all(|answers| statuses(answers).iter().all(is_refusal)), "{refused:?}");
    assert!(served.iter().all(|answer| answer.status == 200), "{served:?}");
    assert!(gateway.seen().iter().all(|seen| !seen.target().contains("tiny")));
}

//! Messages whose end servers find at different places: none of them takes a second request to the upstream.

use crate::{
    gateway::{Gateway, request},
    upstream::SURPLUS,
    wire::{Answer, statuses},
};

/// A request that must never be read as one: it is always within, or after, something else.
const SMUGGLED: &str = "GET /api/v1/movies/smuggled HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n\r\n";

/// Sends bytes; fails when the upstream sees the smuggled request, or a message whose end is a matter of opinion.
async fn smuggles_nothing(gateway: &Gateway, bytes: impl AsRef<[u8]>) -> Vec<Answer> {
    let text = String::from_utf8_lossy(bytes.as_ref()).into_owned();
    let answers = gateway.send(&bytes).await;
    for seen in gateway.seen() {
        assert!(!seen.target().contains("smuggled"), "{text:?}: {seen:?}");
        assert!(seen.is_unambiguous(), "{text:?}: {seen:?}");
    }
    answers
}

fn post(more: &str, body: &str) -> String {
    format!("POST /api/v1/movies HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n{more}\r\n{body}")
}

#[tokio::test]
async fn hyper_issue_4123_content_length_beside_transfer_encoding() {
    let gateway = Gateway::start();
    for more in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Length: 500\r\n",
    ] {
        let answers = smuggles_nothing(&gateway, post(more, &format!("0\r\n\r\n{SMUGGLED}"))).await;
        assert_eq!(statuses(&answers).len(), 1, "{more:?}: {answers:?}");
    }
}

#[tokio::test]
async fn cve_2019_18277_spellings_of_transfer_encoding() {
    let gateway = Gateway::start();
    for more in [
        "Transfer-Encoding: \x0bchunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding: chunk\0ed\r\n",
        "Transfer-Encoding\0: chunked\r\n",
        "X: x\nTransfer-Encoding: chunked\r\n",
        "\rTransfer-Encoding: chunked\r\n",
    ] {
        let with_length = format!("Content-Length: {}\r\n{more}", 5 + SMUGGLED.len());
        smuggles_nothing(&gateway, post(&with_length, &format!("0\r\n\r\n{SMUGGLED}"))).await;
    }
}

#[tokio::test]
async fn cve_2021_40346_and_cve_2023_40225_lengths_that_are_no_numbers() {
    let gateway = Gateway::start();
    let overflow = format!("Content-Length0{}:\r\nContent-Length: 4\r\n", "a".repeat(255));
    for more in [
        overflow.as_str(),
        "Content-Length:\r\n",
        "Content-Length: \r\nContent-Length: 0\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4, 5\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: -4\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4_0\r\n",
        "Content-Length: 18446744073709551620\r\n",
        "Content-Length: 4 4\r\n",
        "Content-Length : 4\r\n",
    ] {
        let answers = gateway.send(post(more, &format!("body{SMUGGLED}"))).await;
        let seen = gateway.seen();
        assert!(seen.iter().all(|seen| seen.is_unambiguous()), "{more:?}: {seen:?}");
        // Behind a length that counts, the second request is a pipelined one.
        let counts = more == overflow;
        let smuggled = seen.iter().any(|seen| seen.target().contains("smuggled"));
        assert!(counts || !smuggled, "{more:?}: {answers:?} {seen:?}");
        assert!(seen.iter().all(|seen| seen.body.as_deref() != Some(b"bod")), "{more:?}");
        gateway.upstream.forget();
    }
}

#[tokio::test]
async fn cve_2025_4366_a_body_that_the_gateway_does_not_forward_is_no_request() {
    let gateway = Gateway::start();
    let length = SMUGGLED.len();
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{SMUGGLED}\r\n0\r\n\r\n");
    for framing in [format!("Content-Length: {length}\r\n\r\n{SMUGGLED}"), chunked] {
        for head in [
            // Answered by the gateway itself: health, no token, no route, preflight.
            "GET /health HTTP/1.1\r\nHost: gateway\r\n",
            "POST /api/v1/movies HTTP/1.1\r\nHost: gateway\r\n",
            "POST /nowhere HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n",
            "OPTIONS /api/v1/movies HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\nOrigin: http://x\r\n\
             Access-Control-Request-Method: GET\r\n",
            "GET /api/v1/movies HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n",
            // Answered by the upstream before it has read the body.
            "POST /api/v1/movies/early HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n",
        ] {
            let answers = smuggles_nothing(&gateway, format!("{head}{framing}")).await;
            assert!(statuses(&answers).len() <= 1, "{head:?} is answered twice: {answers:?}");
        }
    }
}

#[tokio::test]
async fn cve_2026_2833_what_follows_an_upgrade_that_was_not_made_is_no_request() {
    let gateway = Gateway::start();
    for upgrade in ["websocket", "h2c", "foo", "TLS/1.0", "h2c, websocket"] {
        for more in [
            format!("Connection: Upgrade\r\nUpgrade: {upgrade}\r\n"),
            format!(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
            ),
        ] {
            // Without a token: what follows must not be taken past authentication.
            let unauthenticated = SMUGGLED.replace("Authorization: Bearer x\r\n", "");
            let answers =
                smuggles_nothing(&gateway, request("GET", "/api/v1/movies", &more, "") + &unauthenticated).await;
            assert!(answers.iter().all(|answer| answer.status != 101), "{more:?}: {answers:?}");
        }
    }
}

#[tokio::test]
async fn h2c_smuggling_an_upgrade_to_http_2_is_not_forwarded() {
    let gateway = Gateway::start();
    // Requests on the upgraded connection would pass the gateway unseen.
    for connection in ["Upgrade, HTTP2-Settings", "Upgrade", "HTTP2-Settings"] {
        let more = format!("Connection: {connection}\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n");
        gateway.send(request("GET", "/api/v1/movies", &more, "")).await;
    }
    assert!(gateway.seen().iter().all(|seen| !seen.all("upgrade").contains(&"h2c")), "{:?}", gateway.seen());
}

#[tokio::test]
async fn cve_2026_2835_http_1_0_has_no_chunks_and_no_body_without_a_length() {
    let gateway = Gateway::start();
    for (version, more) in [
        ("1.0", "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n"),
        ("1.0", "Transfer-Encoding: identity, chunked\r\nConnection: keep-alive\r\n"),
        ("1.0", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\nConnection: keep-alive\r\n"),
        ("1.1", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
        ("1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
    ] {
        let message = post(more, &format!("0\r\n\r\n{SMUGGLED}")).replacen("HTTP/1.1", &format!("HTTP/{version}"), 1);
        smuggles_nothing(&gateway, message).await;
    }
    // A body that ends with the connection is one of answers only.
    let message = post("Connection: close\r\n", SMUGGLED).replacen("HTTP/1.1", "HTTP/1.0", 1);
    smuggles_nothing(&gateway, message).await;
}

#[tokio::test]
async fn cve_2025_22871_chunks_are_delimited_by_crlf_and_by_nothing_else() {
    let gateway = Gateway::start();
    for body in [
        "5\nhello\r\n0\r\n\r\n",
        "5;\nx\r\nhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\nb\"\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffe\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "5;x\r\nhello\r\n0;x\n\r\n\r\n",
    ] {
        gateway.upstream.forget();
        smuggles_nothing(&gateway, post("Transfer-Encoding: chunked\r\n", body)).await;
        // Blanks behind the size are bad but can only be read in one way, as are some line feeds: the body decides.
        for seen in gateway.seen() {
            assert!(seen.body.as_deref().is_none_or(|body| body == b"hello"), "{body:?}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn response_queue_poisoning_a_surplus_answer_is_not_the_answer_to_the_next_request() {
    let gateway = Gateway::start();
    for number in 0..30 {
        let path = format!("/api/v1/movies{SURPLUS}");
        let answers = gateway.send(request("GET", &path, "", "")).await;
        assert!(statuses(&answers).len() <= 1, "{answers:?}");
        let path = format!("/api/v1/movies/{number}");
        let answer = gateway.get(&path).await;
        assert!(answer.status >= 500 || answer.body == path.as_bytes(), "{path}: {answer:?}");
    }
}

//! Headers that a client must not be able to set, or to remove, on the way to the upstream.

use crate::{
    gateway::{Gateway, request},
    upstream::Recorded,
};

/// What the upstream sees of a request with further header lines; `None` when the gateway refuses it.
pub async fn forwarded(gateway: &Gateway, more: &str) -> Option<Recorded> {
    gateway.upstream.forget();
    let answers = gateway.send(request("GET", "/api/v1/movies", more, "")).await;
    let seen = gateway.seen().pop();
    assert_eq!(seen.is_some(), answers.iter().any(|answer| answer.status == 200), "{more:?}: {answers:?}");
    seen
}

#[tokio::test]
async fn cve_2021_32813_and_cve_2024_45410_connection_does_not_remove_what_the_gateway_adds() {
    let gateway = Gateway::start();
    for listed in [
        "X-Forwarded-For",
        "close, x-forwarded-for",
        "X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto",
        "Authorization",
        "Host",
    ] {
        for more in [
            format!("Connection: {listed}\r\n"),
            format!("Connection: close\r\nConnection: {listed}\r\nX-Forwarded-For: 203.0.113.9\r\n"),
            format!("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nConnection: {listed}\r\n"),
        ] {
            let Some(seen) = forwarded(&gateway, &more).await else { continue };
            let client = seen.all("x-forwarded-for").last().and_then(|line| line.split(',').next_back()).map(str::trim);
            assert_eq!(client, Some("127.0.0.1"), "{more:?}: {seen:?}");
            assert_eq!(seen.all("x-forwarded-proto"), ["http"], "{more:?}: {seen:?}");
            assert_eq!(seen.all("authorization"), ["Bearer x"], "{more:?}: {seen:?}");
            assert_eq!(seen.all("host").len(), 1, "{more:?}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn cve_2021_33197_hop_by_hop_headers_are_removed_although_the_first_connection_header_is_empty() {
    let gateway = Gateway::start();
    for more in [
        "Connection: \r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n",
        "Connection:\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nTE: trailers\r\n",
        "Connection: x-hop\r\nX-Hop: 1\r\nX-Hop: 2\r\nProxy-Connection: keep-alive\r\n",
    ] {
        let Some(seen) = forwarded(&gateway, more).await else { continue };
        for name in ["x-hop", "keep-alive", "te", "proxy-connection"] {
            assert!(seen.all(name).is_empty(), "{name} of {more:?}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn cve_2023_25725_an_empty_header_name_does_not_hide_the_headers_after_it() {
    let gateway = Gateway::start();
    for empty in [": x\r\n", ":\r\n", ":: x\r\n"] {
        let more = format!("{empty}Connection: X-Hop\r\nX-Forwarded-For: 203.0.113.9\r\nX-Hop: 1\r\n");
        gateway.upstream.forget();
        let answers = gateway.send(request("GET", "/api/v1/movies", &more, "")).await;
        assert!(gateway.seen().iter().all(Recorded::is_unambiguous), "{empty:?}: {:?}", gateway.seen());
        assert!(answers.iter().all(|answer| answer.status >= 400), "{empty:?} was accepted: {answers:?}");
    }
}

#[tokio::test]
async fn cve_2023_25690_escaped_line_breaks_begin_no_header() {
    let gateway = Gateway::start();
    for path in [
        "/api/v1/movies/%0d%0aX-Injected:%201",
        "/api/v1/movies?q=%0d%0aX-Injected:%201",
        "/api/v1/movies/x%20HTTP/1.1%0d%0aX-Injected:%201%0d%0a",
        "/api/v1/movies?q=%0aX-Injected:%201",
        "/api/v1/movies/%E5%98%8D%E5%98%8AX-Injected:1",
    ] {
        gateway.get(path).await;
    }
    for more in [
        "X-A: 1%0d%0aX-Injected: 1\r\n",
        "X-A: 1\rX-Injected: 1\r\n",
        "X-A: 1\nX-Injected: 1\r\n",
        "X-A: 1\r\n\tX-Injected: 1\r\n",
    ] {
        gateway.send(request("GET", "/api/v1/movies/more", more, "")).await;
    }
    for seen in gateway.seen() {
        // A line feed alone ends a line for many servers; whoever forwards such a line does it as a header of its own.
        assert!(seen.is_unambiguous(), "{seen:?}");
        assert!(seen.target().contains("/more") || seen.all("x-injected").is_empty(), "{seen:?}");
    }
}

#[tokio::test]
async fn cve_2022_2880_the_query_is_forwarded_byte_for_byte_or_refused() {
    let gateway = Gateway::start();
    for query in ["a=1;b=2", "a=1&a=2;a=3", "a=%zz&b=1", "a=%&b=%2", "a=1&&b", "=&a==", "a+b=%2B", "a=%00", "q=%c0%af"]
    {
        gateway.upstream.forget();
        let answer = gateway.get(&format!("/api/v1/movies?{query}")).await;
        let seen: Vec<_> = gateway.seen().iter().map(|seen| seen.target().to_owned()).collect();
        let expected = format!("/api/v1/movies?{query}");
        assert!(answer.status == 400 && seen.is_empty() || seen == [expected], "{query}: {} {seen:?}", answer.status);
    }
}

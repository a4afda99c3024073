//! Paths that servers read differently. Authentication, routing and the service behind must agree on what a path means.

use futures_util::future::join_all;

use crate::{
    gateway::Gateway,
    spelling::{needs_token, resolve},
    upstream::MARK,
};

/// Sends each path without a token and with one, and checks both rules below.
async fn paths_are_read_alike(paths: &[&str]) {
    let gateway = Gateway::start();
    without_a_token_nothing_protected_is_reached(&gateway, paths).await;
    gateway.upstream.forget();
    with_a_token_only_canonical_paths_are_forwarded(&gateway, paths).await;
}

/// Without a token neither the upstream sees a path that some server reads as a protected one, nor the client its answer.
async fn without_a_token_nothing_protected_is_reached(gateway: &Gateway, paths: &[&str]) {
    let send = async |path: &str| {
        let answers = gateway.send(format!("GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")).await;
        let answered = answers.iter().any(|answer| answer.header(MARK).is_some());
        assert!(!(answered && needs_token(path)), "{path:?} was answered by the upstream: {answers:?}");
    };
    join_all(paths.iter().map(|path| send(path))).await;
    let protected: Vec<_> =
        gateway.seen().iter().map(|seen| seen.target().to_owned()).filter(|path| needs_token(path)).collect();
    assert!(protected.is_empty(), "forwarded without a token: {protected:?}");
}

/// With a token the upstream sees only paths that every server reads in the same way.
async fn with_a_token_only_canonical_paths_are_forwarded(gateway: &Gateway, paths: &[&str]) {
    let send = async |path: &str| {
        let more = "Authorization: Bearer x\r\nConnection: close\r\n";
        gateway.send(format!("GET {path} HTTP/1.1\r\nHost: gateway\r\n{more}\r\n")).await;
    };
    join_all(paths.iter().map(|path| send(path))).await;
    for seen in gateway.seen() {
        let path = seen.target().split('?').next().unwrap_or_default();
        assert_eq!(path.trim_end_matches('/').to_ascii_lowercase(), resolve(path), "two servers could differ about it");
    }
}

#[tokio::test]
async fn the_check_of_paths_sees_what_is_forwarded() {
    let gateway = Gateway::start();
    let answer = gateway.get("/api/v1/movies?page=2").await;
    assert_eq!((answer.status, answer.header(MARK)), (200, Some("upstream")));
    let seen = gateway.seen();
    assert_eq!(seen.iter().map(|seen| seen.target()).collect::<Vec<_>>(), ["/api/v1/movies?page=2"]);
}

#[tokio::test]
async fn cve_2019_9901_dot_segments() {
    paths_are_read_alike(&[
        "/../api/v1/movies",
        "/./api/v1/movies",
        "/health/../api/v1/movies",
        "/swagger/../api/v1/movies",
        "/swagger/./../api/v1/movies",
        "/swagger/x/../../api/v1/movies",
        "/swagger/%2e%2e/api/v1/movies",
        "/swagger/.%2E/api/v1/movies",
        "/api/v1/movies/../../../swagger/",
        "/api/v1/movies/..",
        "/api/v1/movies/%2e%2e/movies",
    ])
    .await;
}

#[tokio::test]
async fn cve_2021_29492_escaped_slashes() {
    paths_are_read_alike(&[
        "/api%2fv1%2fmovies",
        "/api%2Fv1/movies",
        "/swagger/..%2fapi/v1/movies",
        "/swagger%2f..%2fapi/v1/movies",
        "/swagger/..%2Fapi%2Fv1%2Fmovies",
        "/swagger/..%5capi/v1/movies",
        "/swagger/..\\api\\v1\\movies",
        "/swagger/\\../api/v1/movies",
        "/api/v1/movies%2f..%2f..%2fadmin",
        "/api/v1/movies\\..\\admin",
    ])
    .await;
}

#[tokio::test]
async fn cve_2021_43557_repeated_slashes() {
    paths_are_read_alike(&[
        "//api/v1/movies",
        "///api/v1/movies",
        "/api//v1/movies",
        "/api/v1//movies",
        "/api/v1/movies//",
        "//swagger/../api/v1/movies",
        "/swagger//../api/v1/movies",
        "/swagger//..//api/v1/movies",
    ])
    .await;
}

#[tokio::test]
async fn cve_2020_5902_path_parameters() {
    paths_are_read_alike(&[
        "/swagger/..;/api/v1/movies",
        "/swagger/..;x=y/api/v1/movies",
        "/swagger/..%3b/api/v1/movies",
        "/health;/../api/v1/movies",
        "/api;x/v1/movies",
        "/api/v1/movies;/../../../swagger",
    ])
    .await;
}

#[tokio::test]
async fn cve_2021_42013_double_escapes() {
    paths_are_read_alike(&[
        "/swagger/%252e%252e/api/v1/movies",
        "/swagger/%%32%65%%32%65/api/v1/movies",
        "/swagger/..%252fapi/v1/movies",
        "/swagger/%25%32%65%25%32%65/api/v1/movies",
        "/api/v1/movies/%252e%252e/x",
        "/api%252fv1%252fmovies",
    ])
    .await;
}

#[tokio::test]
async fn cve_2000_0884_overlong_utf_8_and_nul() {
    paths_are_read_alike(&[
        "/swagger/%c0%ae%c0%ae/api/v1/movies",
        "/swagger/..%c0%afapi/v1/movies",
        "/swagger/..%c1%9capi/v1/movies",
        "/api/v1/movies%00",
        "/api/v1/movies%00/../../swagger",
        "/api/v1/movies/%c0%ae%c0%ae/x",
    ])
    .await;
}

#[tokio::test]
async fn cve_2021_32779_and_cve_2023_45539_a_fragment_in_the_target() {
    paths_are_read_alike(&[
        "/api/v1/movies#",
        "/api/v1/movies#/../../swagger/",
        "/swagger/#/../../api/v1/movies",
        "/swagger/..#/api/v1/movies",
        "/api/v1/movies%23x#y",
    ])
    .await;
    // Where a target ends must not be a matter of opinion either.
    let gateway = Gateway::start();
    gateway.get("/api/v1/movies?a=1#fragment").await;
    assert!(gateway.seen().iter().all(|seen| !seen.target().contains('#')), "{:?}", gateway.seen());
}

#[tokio::test]
async fn cve_2021_40438_the_client_does_not_choose_the_upstream() {
    let gateway = Gateway::start();
    let elsewhere = crate::upstream::Upstream::start(0);
    let address = elsewhere.address;
    for target in [
        format!("http://{address}/api/v1/movies"),
        format!("http://gateway@{address}/api/v1/movies"),
        format!("http://{address}#@gateway/api/v1/movies"),
        format!("//{address}/api/v1/movies"),
        format!("@{address}/api/v1/movies"),
        format!("/api/v1/movies?unix:{}|http://{address}/", "A".repeat(5000)),
        format!("{address}/api/v1/movies"),
        format!("/@{address}/api/v1/movies"),
    ] {
        for host in ["gateway".to_owned(), address.to_string(), format!("gateway@{address}")] {
            let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer x\r\n");
            gateway.send(format!("{head}Connection: close\r\n\r\n")).await;
        }
    }
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
}

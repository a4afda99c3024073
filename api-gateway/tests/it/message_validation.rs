//! Messages that servers have understood differently: each has one fixed outcome, and none reaches a service twice.

use std::time::{Duration, Instant};

use crate::support::{Client, EchoService, GatewayBuilder, TestGateway, request};

const TOKEN: &str = "Authorization: Bearer x\r\n";

async fn gateway() -> (TestGateway, EchoService) {
    let movies = EchoService::start("movie-service").await;
    (GatewayBuilder::new().await.movies(movies.address).start().await, movies)
}

/// The status of the response to `bytes`. 0: closed without a response.
async fn outcome(gateway: &TestGateway, bytes: impl AsRef<[u8]>) -> u16 {
    let mut client = gateway.client().await;
    client.write(bytes).await;
    client.try_response(false).await.map_or(0, |response| response.status)
}

#[tokio::test]
async fn a_message_that_could_be_understood_in_two_ways_is_400_and_goes_no_further() {
    let (gateway, movies) = gateway().await;
    let smuggled = "GET /api/v1/movies/smuggled HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\n\r\n";
    let post = format!("POST /api/v1/movies HTTP/1.1\r\nHost: g\r\n{TOKEN}");
    let get = "GET /api/v1/movies HTTP/1.1\r\n";
    let messages = [
        format!("{post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody{smuggled}"),
        format!("{post}Content-Length: 4, 5\r\n\r\nbody{smuggled}"),
        format!("{post}Content-Length: +4\r\n\r\nbody{smuggled}"),
        format!("{post}Content-Length: -1\r\n\r\n{smuggled}"),
        format!("{post}Content-Length: 0x4\r\n\r\nbody{smuggled}"),
        format!("{post}Content-Length: 99999999999999999999\r\n\r\n{smuggled}"),
        format!("{post}Content-Length:\r\n\r\n{smuggled}"),
        format!("{post}Content-Length : 4\r\n\r\nbody{smuggled}"),
        format!("{post}Transfer-Encoding: identity\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding:\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n{smuggled}"),
        format!(
            "POST /api/v1/movies HTTP/1.0\r\nHost: g\r\n{TOKEN}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!("{get}Host: a\r\nHost: b\r\n{TOKEN}\r\n{smuggled}"),
        format!("{get}Host: a\r\nHost: a\r\n{TOKEN}\r\n"),
        format!("{get}{TOKEN}\r\n"),
        format!("{get}Host: a b\r\n{TOKEN}\r\n"),
        format!("{get}Host: a/b\r\n{TOKEN}\r\n"),
        format!("{get}Host: user@a\r\n{TOKEN}\r\n"),
        format!("{get}Host: g\r\n{TOKEN}Bad Name: x\r\n\r\n"),
        format!("{get}Host: g\r\n{TOKEN}X: a\r\n folded\r\n\r\n"),
        format!("{get}Host: g\r\n{TOKEN}: empty\r\n\r\n"),
        format!("{get}Host: g\r\n{TOKEN}X: nul\0\r\n\r\n"),
        format!(" GET /api/v1/movies HTTP/1.1\r\nHost: g\r\n{TOKEN}\r\n"),
        format!("GET  /api/v1/movies HTTP/1.1\r\nHost: g\r\n{TOKEN}\r\n"),
        format!("GET /api/v1/mov ies HTTP/1.1\r\nHost: g\r\n{TOKEN}\r\n"),
        format!("GET /api/v1/movies\tHTTP/1.1\r\nHost: g\r\n{TOKEN}\r\n"),
        format!("GET /api/v1/movies HTTP/9.9\r\nHost: g\r\n{TOKEN}\r\n"),
        format!("GET /api/v1/movies http/1.1\r\nHost: g\r\n{TOKEN}\r\n"),
        format!("G@T /api/v1/movies HTTP/1.1\r\nHost: g\r\n{TOKEN}\r\n"),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}hello over TLS\r\n\r\n".to_owned(),
        "rubbish\r\n\r\n".to_owned(),
    ];
    for message in messages {
        let mut client = gateway.client().await;
        client.write(&message).await;
        assert_eq!(client.response().await.status, 400, "{message:?}");
        assert!(client.is_closed().await, "{message:?} is followed by another response");
    }
    let seen: Vec<_> = movies.seen().into_iter().map(|seen| seen.target).collect();
    assert!(seen.is_empty(), "{seen:?}");
}

#[tokio::test]
async fn beside_a_chunked_body_a_content_length_means_nothing_and_the_connection_ends() {
    let (gateway, movies) = gateway().await;
    let smuggled = "GET /api/v1/movies/smuggled HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\n\r\n";
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Length: 500\r\nConnection: keep-alive\r\n\r\n",
    ] {
        let mut client = gateway.client().await;
        let head = format!("POST /api/v1/movies HTTP/1.1\r\nHost: g\r\n{TOKEN}{framing}");
        let response = client.send(format!("{head}2\r\nok\r\n0\r\n\r\n{smuggled}")).await;
        assert_eq!((response.status, response.header("connection")), (200, Some("close")), "{framing:?}");
        assert!(client.is_closed().await, "{framing:?}");
        let seen = movies.seen().pop().unwrap();
        assert_eq!((seen.target.as_str(), seen.body.as_deref()), ("/api/v1/movies", Some(&b"ok"[..])));
        assert!(seen.all("content-length").is_empty(), "{seen:?}");
    }
    assert_eq!(movies.seen().len(), 3);
}

#[tokio::test]
async fn a_broken_chunk_is_the_clients_fault_and_not_the_services() {
    let (gateway, movies) = gateway().await;
    for body in [
        "zz\r\nbody\r\n0\r\n\r\n",
        "4\r\nbodyX",
        "-4\r\nbody\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nx",
        "4 4\r\nbody\r\n0\r\n\r\n",
        "\r\n",
    ] {
        let mut client = gateway.client().await;
        let head = format!("POST /api/v1/movies HTTP/1.1\r\nHost: g\r\n{TOKEN}Transfer-Encoding: chunked\r\n\r\n");
        client.write(format!("{head}{body}")).await;
        let response = client.response().await;
        let expected = r#"{"error":"the request body is broken","code":"broken_body"}"#;
        assert_eq!((response.status, response.text().as_str()), (400, expected), "{body:?}");
        assert!(client.is_closed().await, "{body:?}");
    }
    assert!(movies.seen().iter().all(|seen| seen.body.is_none()), "a broken body looked complete to the service");
}

#[tokio::test]
async fn a_client_that_hangs_up_within_its_body_is_never_a_complete_request() {
    let (gateway, movies) = gateway().await;
    for framing in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let mut client = gateway.client().await;
        client.write(format!("POST /api/v1/movies HTTP/1.1\r\nHost: g\r\n{TOKEN}{framing}")).await;
        drop(client);
    }
    // A later request is answered after what is left of the earlier ones.
    assert_eq!(outcome(&gateway, request("GET", "/api/v1/movies", "", "")).await, 200);
    assert!(movies.seen().iter().all(|seen| seen.method == "GET" || seen.body.is_none()));
}

#[tokio::test]
async fn good_chunked_bodies_go_through_whole() {
    let (gateway, movies) = gateway().await;
    let head = format!("POST /api/v1/movies HTTP/1.1\r\nHost: g\r\n{TOKEN}Transfer-Encoding: Chunked\r\n\r\n");
    for body in [
        "4\r\nbody\r\n0\r\n\r\n",
        "2;x=y\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
        "0004\r\nbody\r\n000\r\n\r\n",
        "4\r\nbody\r\n0\r\nX-Trailer: 1\r\n\r\n",
    ] {
        assert_eq!(outcome(&gateway, format!("{head}{body}")).await, 200, "{body:?}");
        let seen = movies.seen().pop().unwrap();
        assert_eq!((seen.body.as_deref(), seen.all("x-trailer").len()), (Some(&b"body"[..]), 0), "{body:?}");
    }
}

#[tokio::test]
async fn trace_and_connect_are_405_with_allow() {
    let (gateway, movies) = gateway().await;
    for line in ["TRACE /api/v1/movies", "TRACE /health", "CONNECT gateway:80", "CONNECT /api/v1/movies", "TRACE *"] {
        let mut client = gateway.client().await;
        client.write(format!("{line} HTTP/1.1\r\nHost: gateway:80\r\n{TOKEN}\r\n")).await;
        let response = client.response().await;
        if response.status == 400 && line == "CONNECT /api/v1/movies" {
            continue;
        }
        assert_eq!((response.status, response.error().as_str()), (405, "Method Not Allowed"), "{line}");
        assert_eq!(response.header("allow"), Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    }
    assert!(movies.seen().is_empty());
}

#[tokio::test]
async fn the_absolute_form_is_the_same_request() {
    let (gateway, movies) = gateway().await;
    let line = "GET http://movies.example:8080/api/v1/movies?page=2 HTTP/1.1\r\nHost: other\r\n";
    assert_eq!(outcome(&gateway, format!("{line}{TOKEN}\r\n")).await, 200);
    let seen = movies.seen().remove(0);
    assert_eq!(seen.target, "/api/v1/movies?page=2");
    assert_eq!(seen.all("x-forwarded-host"), ["movies.example:8080"]);
    assert_eq!(seen.all("host"), [movies.address.to_string()]);
    let strange = "GET http://127.0.0.1:1/internal/v1/catalogue HTTP/1.1\r\nHost: g\r\n";
    assert_eq!(outcome(&gateway, format!("{strange}{TOKEN}\r\n")).await, 404);
    assert_eq!(outcome(&gateway, format!("{strange}\r\n")).await, 401);
    assert_eq!(outcome(&gateway, format!("GET http://x/nowhere HTTP/1.1\r\nHost: x\r\n{TOKEN}\r\n")).await, 404);
    assert_eq!(movies.seen().len(), 1);
}

#[tokio::test]
async fn http_1_0_is_served_with_or_without_a_host() {
    let (gateway, movies) = gateway().await;
    for host in ["", "Host: g\r\n"] {
        let mut client = gateway.client().await;
        let response = client.send(format!("GET /api/v1/movies HTTP/1.0\r\n{host}{TOKEN}\r\n")).await;
        assert_eq!((response.status, response.text().as_str()), (200, "movie-service"));
        assert!(client.is_closed().await);
    }
    assert_eq!(movies.seen().len(), 2);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (gateway, _movies) = gateway().await;
    let mut client = gateway.client().await;
    let get = |path: &str| String::from_utf8(request("GET", path, "", "")).unwrap();
    let post = String::from_utf8(request("POST", "/api/v1/movies", "", "body")).unwrap();
    client.write([get("/health"), post, get("/nowhere"), get("/api/v1/movies")].concat()).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(client.response().await.status);
    }
    assert_eq!(statuses, [200, 200, 404, 200]);
}

#[tokio::test]
async fn a_head_above_the_limits_is_431() {
    let (gateway, movies) = gateway().await;
    // The gateway answers itself: services count the headers that it adds, too.
    let with = |more: String| format!("GET /health HTTP/1.1\r\nHost: g\r\n{TOKEN}{more}\r\n");
    let headers = |number: usize| (0..number).map(|at| format!("X-{at}: 1\r\n")).collect::<String>();
    let huge = |bytes: usize| format!("X-Huge: {}\r\n", "x".repeat(bytes));
    for (more, status) in [
        (headers(97), 200),
        (headers(99), 431),
        (headers(1000), 431),
        (huge(8 << 10), 200),
        (huge(32 << 10), 200),
        (huge(60 << 10), 200),
        (huge(64 << 10), 431),
        (huge(450 << 10), 431),
    ] {
        let length = more.len();
        let mut client = gateway.client().await;
        // The gateway may close before it has read everything, and the response be lost with the connection.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, with(more).as_bytes()).await;
        let seen = client.try_response(false).await.map(|response| response.status);
        assert!(seen == Some(status) || (status == 431 && seen.is_none() && length > 64 << 10), "{length}: {seen:?}");
    }
    let long = format!("GET /api/v1/movies?q={} HTTP/1.1\r\nHost: g\r\n{TOKEN}\r\n", "x".repeat(70_000));
    assert!(matches!(outcome(&gateway, long).await, 414 | 431));
    assert!(movies.seen().is_empty());
}

#[tokio::test]
async fn a_target_above_the_limit_is_414_and_goes_no_further() {
    let (gateway, movies) = gateway().await;
    let with = |bytes: usize| {
        let beginning = "/api/v1/movies?q=";
        request("GET", &format!("{beginning}{}", "x".repeat(bytes - beginning.len())), "", "")
    };
    assert_eq!(outcome(&gateway, with(8192)).await, 200);
    for bytes in [8193, 60_000] {
        let response = gateway.client().await.send(with(bytes)).await;
        let body = r#"{"error":"the request URI is too long","code":"uri_too_long"}"#;
        assert_eq!((response.status, response.text().as_str()), (414, body), "{bytes}");
    }
    assert_eq!(movies.seen().len(), 1);
}

#[tokio::test]
async fn a_head_that_trickles_is_closed_in_time() {
    let movies = EchoService::start("movie-service").await;
    let gateway =
        GatewayBuilder::new().await.movies(movies.address).set("HEADER_READ_TIMEOUT_SECONDS", 1).start().await;
    let started = Instant::now();
    let (silent, partial, trickling) = tokio::join!(
        async { gateway.client().await.is_closed().await },
        async {
            let mut client = gateway.client().await;
            client.write("GET /api/v1/movies HTTP/1.1\r\nHo").await;
            client.try_response(false).await.is_none_or(|response| response.status == 408)
        },
        async {
            let mut client = gateway.client().await;
            let mut sent = 0;
            while tokio::io::AsyncWriteExt::write_all(&mut client.stream, b"G").await.is_ok() && sent < 150 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                sent += 1;
            }
            sent < 150
        },
    );
    assert!(silent && partial && trickling, "{silent} {partial} {trickling}");
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    // An idle connection between two requests is closed as well.
    let mut client = Client::connect(gateway.address).await;
    assert_eq!(client.send(request("GET", "/health", "", "")).await.status, 200);
    assert!(client.is_closed().await);
}

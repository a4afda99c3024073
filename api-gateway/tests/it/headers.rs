//! What happens to headers on the way there and back.

use tokio::io::AsyncWriteExt;

use crate::support::{Client, EchoService, GatewayBuilder, ScriptedService, get, request, send, upstream::read_head};

#[tokio::test]
async fn hop_by_hop_headers_of_a_request_are_removed_and_end_to_end_ones_kept() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let more = "Connection: keep-alive, X-Secret, X-Forwarded-For, Authorization, X-Request-Id, Host, Content-Length\r\n\
        X-Secret: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\n\
        Proxy-Authorization: Basic x\r\nProxy-Connection: close\r\nX-Request-Id: abc\r\n\
        Accept-Language: de\r\nCookie: a=1\r\nCookie: b=2\r\nIf-None-Match: \"e\"\r\n";
    assert_eq!(send(gateway.address, request("POST", "/api/v1/movies", more, "body")).await.status, 200);
    let seen = movies.seen().remove(0);
    for gone in ["x-secret", "keep-alive", "te", "trailer", "upgrade", "proxy-authorization", "proxy-connection"] {
        assert!(seen.all(gone).is_empty(), "{gone}");
    }
    assert!(seen.all("connection").is_empty());
    // What the platform itself needs cannot be named away.
    assert_eq!(seen.body.as_deref(), Some(&b"body"[..]));
    assert_eq!(seen.all("authorization"), ["Bearer x"]);
    assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.all("x-request-id"), ["abc"]);
    assert_eq!(seen.all("accept-language"), ["de"]);
    assert_eq!(seen.all("cookie"), ["a=1", "b=2"]);
    assert_eq!(seen.all("if-none-match"), ["\"e\""]);
    assert_eq!(seen.all("host"), [movies.address.to_string()]);
}

#[tokio::test]
async fn hop_by_hop_headers_of_an_answer_are_removed_and_repeated_ones_kept() {
    let movies = ScriptedService::responding(
        "HTTP/1.1 201 Made\r\nConnection: close, X-Inner\r\nX-Inner: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n\
        Proxy-Authenticate: Basic\r\nTrailer: X-Sum\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nETag: \"e\"\r\nVary: a\r\n\
        Vary: b\r\nX-Request-Id: theirs\r\nX-RateLimit-Limit: 7\r\nAccess-Control-Allow-Origin: http://x\r\n\
        Content-Type: text/odd\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    for _ in 0..2 {
        let response = client.send(request("GET", "/api/v1/movies", "X-Request-Id: mine\r\n", "")).await;
        assert_eq!((response.status, response.text().as_str(), response.complete), (201, "ok", true));
        for gone in ["connection", "x-inner", "keep-alive", "upgrade", "proxy-authenticate", "trailer"] {
            assert_eq!(response.header(gone), None, "{gone}");
        }
        assert_eq!(response.all("set-cookie"), ["a=1", "b=2"]);
        assert_eq!(response.all("vary"), ["a", "b"]);
        assert_eq!((response.header("etag"), response.header("content-type")), (Some("\"e\""), Some("text/odd")));
        // What the gateway says of itself is said once.
        assert_eq!(response.header("x-request-id"), Some("mine"));
        assert_eq!(response.header("x-ratelimit-limit"), Some("1000000"));
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn services_are_told_where_a_request_came_from() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let lies =
        "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 1.1.1.1\r\n";
    send(gateway.address, request("GET", "/api/v1/movies", lies, "")).await;
    let seen = movies.seen().remove(0);
    assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.all("x-forwarded-host"), ["gateway"]);
    assert_eq!(seen.all("x-forwarded-proto"), ["http"]);
    assert!(seen.all("x-real-ip").is_empty());
}

#[tokio::test]
async fn what_a_trusted_proxy_says_is_kept_and_added_to() {
    let movies = EchoService::start("movie-service").await;
    let gateway =
        GatewayBuilder::new().await.movies(movies.address).set("TRUSTED_PROXIES", "127.0.0.0/8").start().await;
    let says = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Host: movies.example\r\nX-Forwarded-Proto: https\r\n";
    send(gateway.address, request("GET", "/api/v1/movies", says, "")).await;
    let seen = movies.seen().remove(0);
    assert_eq!(seen.all("x-forwarded-for"), ["203.0.113.9", "127.0.0.1"]);
    assert_eq!(seen.all("x-forwarded-host"), ["movies.example"]);
    assert_eq!(seen.all("x-forwarded-proto"), ["https"]);
}

#[tokio::test]
async fn a_request_id_is_kept_or_made_and_told_to_both_sides() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let kept = send(gateway.address, request("GET", "/api/v1/movies", "X-Request-Id: a-b-c\r\n", "")).await;
    assert_eq!(kept.header("x-request-id"), Some("a-b-c"));
    for odd in ["", "X-Request-Id: a b\r\n", "X-Request-Id: a\r\nX-Request-Id: b\r\n", "X-Request-Id: \u{e9}\r\n"] {
        let made = send(gateway.address, request("GET", "/api/v1/movies", odd, "")).await;
        let id = made.header("x-request-id").unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{odd:?} gave {id}");
    }
    for (seen, answered) in movies.seen().iter().zip(["a-b-c"]) {
        assert_eq!(seen.all("x-request-id"), [answered]);
    }
    assert_eq!(movies.seen()[2].all("x-request-id").len(), 1);
    // Answers of the gateway itself have one too.
    for path in ["/health", "/nowhere", "/api/v1/users", "/api/v1/.."] {
        assert!(get(gateway.address, path).await.header("x-request-id").is_some(), "{path}");
    }
}

#[tokio::test]
async fn nothing_in_a_request_can_start_a_header_of_its_own() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    for (path, header) in [
        ("/api/v1/movies/a%0d%0aX-Injected:%201", ""),
        ("/api/v1/movies/a%0aX-Injected:%201", ""),
        ("/api/v1/movies?q=%0d%0aX-Injected:%201", ""),
        ("/api/v1/movies", "Host: a%0d%0aX-Injected: 1\r\n"),
        ("/api/v1/movies", "Authorization: Bearer a%0d%0aX-Injected: 1\r\n"),
        ("/api/v1/movies", "X-Request-Id: a%0d%0aX-Injected: 1\r\n"),
        ("/api/v1/movies", "X-Any: a\rX-Injected: 1\r\n"),
        ("/api/v1/movies", "X-Any: a\0X-Injected: 1\r\n"),
        ("/api/v1/movies", "X-Any: a\r\n X-Injected: 1\r\n"),
        ("/api/v1/movies?q=a\rX-Injected: 1", ""),
    ] {
        let host = if header.starts_with("Host") { "" } else { "Host: gateway\r\n" };
        let token = if header.starts_with("Authorization") { "" } else { "Authorization: Bearer x\r\n" };
        let mut client = Client::connect(gateway.address).await;
        client.write(format!("GET {path} HTTP/1.1\r\n{host}{token}{header}\r\n")).await;
        if let Some(response) = client.try_response(false).await {
            assert!(matches!(response.status, 200 | 400), "{path:?} {header:?}: {}", response.status);
            assert_eq!(response.header("x-injected"), None);
        }
    }
    for seen in movies.seen() {
        assert!(seen.all("x-injected").is_empty(), "{seen:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_only_not_modified_keeps_its_headers_and_the_connection_in_step() {
    let not_modified =
        "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nCache-Control: no-cache\r\nContent-Length: 7\r\n\r\n";
    let movies = ScriptedService::start(move |mut stream, _| async move {
        while !read_head(&mut stream).await.is_empty() {
            stream.write_all(not_modified.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    for _ in 0..2 {
        let response = client.send(request("GET", "/api/v1/movies/1", "If-None-Match: \"a\"\r\n", "")).await;
        assert_eq!((response.status, response.header("etag")), (304, Some("\"a\"")));
        assert_eq!(response.header("cache-control"), Some("no-cache"));
    }
    assert_eq!(client.send(request("GET", "/health", "", "")).await.status, 200);
}

#[tokio::test]
async fn a_trace_is_continued_or_begun_and_passed_on_to_services() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let valid = format!("Connection: traceparent\r\nTraceparent: {traceparent}\r\nTracestate: a=1\r\n");
    send(gateway.address, request("GET", "/api/v1/movies", &valid, "")).await;
    let seen = movies.seen().remove(0);
    let [sent] = seen.all("traceparent")[..] else { panic!("{seen:?}") };
    assert!(sent.starts_with(&traceparent[..36]) && sent.ends_with("-01") && sent != traceparent, "{sent}");
    assert_eq!(seen.all("tracestate"), ["a=1"]);
    for invalid in ["", "Traceparent: rubbish\r\nTracestate: a=1\r\n"] {
        send(gateway.address, request("GET", "/api/v1/movies", invalid, "")).await;
        let seen = movies.seen().pop().unwrap();
        let [sent] = seen.all("traceparent")[..] else { panic!("{seen:?}") };
        assert!(sent.len() == 55 && sent.starts_with("00-") && sent != traceparent, "{sent}");
        assert!(seen.all("tracestate").is_empty(), "{seen:?}");
    }
}

#[tokio::test]
async fn an_answer_is_compressed_as_the_client_accepts_and_may_be_edited_by_its_weak_tag() {
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(5000));
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"7\"\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (heads, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let movies = ScriptedService::start(move |mut stream, _| {
        let (answer, heads) = (answer.clone(), heads.clone());
        async move {
            heads.send(read_head(&mut stream).await).unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let send =
        async |method, more: &str| gateway.client().await.send(request(method, "/api/v1/movies/1", more, "")).await;

    let plain = send("GET", "").await;
    assert_eq!(
        (plain.text(), plain.header("etag"), plain.header("vary")),
        (body, Some("\"7\""), Some("accept-encoding"))
    );
    for (accepted, chosen) in [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd")] {
        let compressed = send("GET", &format!("Accept-Encoding: {accepted}\r\n")).await;
        assert_eq!(compressed.header("content-encoding"), Some(chosen));
        assert_eq!((compressed.header("etag"), compressed.header("content-length")), (Some("W/\"7\""), None));
        assert!(compressed.complete && compressed.body.len() < 500, "{}", compressed.body.len());
    }
    let head = send("HEAD", "Accept-Encoding: gzip\r\n").await;
    assert_eq!((head.header("content-encoding"), head.body.len()), (Some("gzip"), 0));
    send("DELETE", "If-Match: W/\"7\"\r\n").await;
    let mut heads = Vec::new();
    while let Ok(head) = heard.try_recv() {
        heads.push(head);
    }
    assert!(heads.last().unwrap().to_ascii_lowercase().contains("if-match: \"7\""), "{heads:?}");
}

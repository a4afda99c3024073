//! Services that cannot be reached, hang, or break off.

use std::{net::SocketAddr, pin::pin, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

use crate::support::{EchoService, GatewayBuilder, ScriptedService, get, request, send, upstream::read_head};

#[tokio::test]
async fn a_service_that_is_down_is_502_with_its_name_and_no_address() {
    let gateway = GatewayBuilder::new().await.start().await;
    for (path, name) in [
        ("/api/v1/movies", "movie-service"),
        ("/api/v1/users", "user-preference-service"),
        ("/api/v1/rules", "recommendation-service"),
    ] {
        let response = get(gateway.address, path).await;
        assert_eq!(response.status, 502);
        let body = format!(r#"{{"error":"service unavailable: {name}","code":"service_unavailable"}}"#);
        assert_eq!(response.text(), body);
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_service_that_comes_back_is_used_at_once() {
    let place = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let gateway = GatewayBuilder::new().await.movies(address).start().await;
    assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 502);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let app = axum::Router::new().fallback(async || "back");
    tokio::spawn(async move { axum::serve(listener, app).await });
    assert_eq!(get(gateway.address, "/api/v1/movies").await.text(), "back");
}

#[tokio::test]
async fn a_service_that_hangs_is_504_and_does_not_hold_up_others() {
    let movies = ScriptedService::start(|mut stream, _| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let users = EchoService::start("user-preference-service").await;
    let builder = GatewayBuilder::new().await.movies(movies.address).set("UPSTREAM_TIMEOUT_SECONDS", 1);
    let gateway = builder.set("USER_PREFERENCE_SERVICE_URL", format!("http://{}", users.address)).start().await;
    let mut hung = pin!(get(gateway.address, "/api/v1/movies"));
    for _ in 0..2 {
        tokio::select! {
            biased;
            _ = &mut hung => panic!("a request to another service waits for it"),
            response = get(gateway.address, "/api/v1/users") => assert_eq!(response.status, 200),
        }
    }
    let hung = hung.await;
    assert_eq!(hung.status, 504);
    let body = r#"{"error":"service did not answer in time: movie-service","code":"service_timeout"}"#;
    assert_eq!(hung.text(), body);
}

/// An address whose operating system does not answer: as many connections wait to be accepted as may.
async fn blackhole() -> (SocketAddr, Vec<JoinHandle<std::io::Result<TcpStream>>>, TcpListener) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = (0..8).map(|_| tokio::spawn(TcpStream::connect(address))).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    (address, waiting, listener)
}

#[tokio::test]
async fn a_service_whose_address_does_not_answer_is_504_and_a_write_was_not_made() {
    let (address, _waiting, _listener) = blackhole().await;
    let gateway = GatewayBuilder::new().await.movies(address).set("UPSTREAM_CONNECT_TIMEOUT_MS", 200).start().await;
    for method in ["GET", "POST"] {
        let response = send(gateway.address, request(method, "/api/v1/movies", "", "")).await;
        let body = r#"{"error":"service did not answer in time: movie-service","code":"service_timeout"}"#;
        assert_eq!((response.status, response.text().as_str()), (504, body), "{method}");
    }
}

#[tokio::test]
async fn a_client_that_takes_too_long_to_send_is_408_and_not_the_services_fault() {
    let movies = ScriptedService::start(|mut stream, _| async move { while stream.read_u8().await.is_ok() {} }).await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).set("UPSTREAM_TIMEOUT_SECONDS", 1).start().await;
    let mut client = gateway.client().await;
    client
        .write("POST /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\nContent-Length: 9\r\n\r\nhalf")
        .await;
    let response = client.response().await;
    let body = r#"{"error":"the request body did not arrive in time","code":"request_timeout"}"#;
    assert_eq!((response.status, response.text().as_str()), (408, body));
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_looks_complete() {
    let beginnings = [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":[",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"data\":[\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"data\"",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"data\":[\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{\"data\":[\r\n",
    ];
    for beginning in beginnings {
        let movies = ScriptedService::responding(beginning).await;
        let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
        let mut client = gateway.client().await;
        client.write(request("GET", "/api/v1/movies", "", "")).await;
        if let Some(response) = client.try_response(false).await {
            assert!(response.status == 502 || !response.complete, "{beginning:?} became {response:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_stalls_is_cut_off() {
    let movies = ScriptedService::start(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).set("UPSTREAM_TIMEOUT_SECONDS", 1).start().await;
    let response = get(gateway.address, "/api/v1/movies").await;
    assert_eq!((response.status, response.complete), (200, false));
}

#[tokio::test]
async fn what_is_not_an_answer_is_502() {
    for nonsense in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "rubbish\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw",
    ] {
        let movies = ScriptedService::responding(nonsense).await;
        let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
        let response = get(gateway.address, "/api/v1/movies").await;
        assert_eq!(
            (response.status, response.error().as_str()),
            (502, "service unavailable: movie-service"),
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn answers_of_every_status_and_framing_go_through_as_they_are() {
    for (response, status, body) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n", 304, ""),
        ("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", 302, ""),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nnop", 404, "nop"),
        ("HTTP/1.1 429 Too Many\r\nContent-Length: 3\r\n\r\nnop", 429, "nop"),
        ("HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nnop", 500, "nop"),
        ("HTTP/1.1 503 Later\r\nRetry-After: 1\r\nContent-Length: 3\r\n\r\nnop", 503, "nop"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nay!\r\n0\r\n\r\n", 200, "okay!"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nay!\r\n0\r\n\r\n",
            200,
            "okay!",
        ),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
    ] {
        let movies = ScriptedService::responding(response).await;
        let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
        let seen = get(gateway.address, "/api/v1/movies").await;
        assert_eq!((seen.status, seen.text().as_str(), seen.complete), (status, body, true), "{response}");
    }
}

#[tokio::test]
async fn a_response_without_content_has_no_length() {
    let movies = ScriptedService::responding("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let response = get(gateway.address, "/api/v1/movies").await;
    assert_eq!((response.status, response.header("content-length")), (204, None));
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_its_request_at_the_service() {
    let (ended, mut waiting) = tokio::sync::mpsc::unbounded_channel();
    let movies = ScriptedService::start(move |mut stream, _| {
        let ended = ended.clone();
        async move {
            read_head(&mut stream).await;
            ended.send("asked").unwrap();
            read_head(&mut stream).await;
            ended.send("hung up").unwrap();
        }
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    client.write(request("GET", "/api/v1/movies", "", "")).await;
    assert_eq!(crate::support::soon("asked", waiting.recv()).await, Some("asked"));
    drop(client);
    assert_eq!(crate::support::soon("hung up", waiting.recv()).await, Some("hung up"));
    assert_eq!(send(gateway.address, request("GET", "/health", "", "")).await.status, 200);
}

#[tokio::test]
async fn a_write_whose_response_is_cut_off_is_unconfirmed() {
    for response in ["", "HTTP/1.1 200 OK\r\nContent-Le", "rubbish\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"]
    {
        let movies = ScriptedService::responding(response).await;
        let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let response = send(gateway.address, request(method, "/api/v1/movies/1", "", "{}")).await;
            let body = "{\"error\":\"service unavailable: movie-service broke off its response; \
                the change may have been made\",\"code\":\"unconfirmed\"}";
            assert_eq!((response.status, response.text().as_str()), (502, body), "{method} {response:?}");
        }
        let response = get(gateway.address, "/api/v1/movies").await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (502, Some("invalid_response")),
            "{response:?}"
        );
    }
}

#[tokio::test]
async fn a_write_that_was_never_sent_is_not_unconfirmed() {
    let gateway = GatewayBuilder::new().await.start().await;
    let response = send(gateway.address, request("POST", "/api/v1/movies", "", "{}")).await;
    let body = r#"{"error":"service unavailable: movie-service","code":"service_unavailable"}"#;
    assert_eq!((response.status, response.text().as_str()), (502, body));
}

#[tokio::test]
async fn a_write_that_times_out_is_unconfirmed() {
    let movies = ScriptedService::start(|mut stream, _| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).set("UPSTREAM_TIMEOUT_SECONDS", 1).start().await;
    let response = send(gateway.address, request("DELETE", "/api/v1/movies/1", "", "")).await;
    assert_eq!((response.status, response.json()["code"].as_str()), (504, Some("unconfirmed")));
    assert!(response.error().starts_with("service did not answer in time: movie-service"), "{}", response.error());
}

//! The access log: a line for each request, whatever becomes of it.

use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    sync::mpsc::{self, UnboundedReceiver},
};

use crate::support::{
    Client, EchoService, ScriptedService, TestRedis,
    program::{Running, command, free_port, listening},
    request, send, soon,
    upstream::read_head,
};

/// The program with movie-service at `movies`, and its port.
async fn start(movies: std::net::SocketAddr) -> (Running, u16) {
    let (redis, port) = (TestRedis::new().await, free_port());
    let settings = [
        ("SERVER_PORT", &*port.to_string()),
        ("REDIS_ADDR", &redis.address),
        ("REDIS_DB", &redis.database.to_string()),
        ("MOVIE_SERVICE_URL", &format!("http://{movies}")),
        ("USER_PREFERENCE_SERVICE_URL", "http://127.0.0.1:1"),
        ("SHUTDOWN_TIMEOUT_SECONDS", "5"),
        ("LOG_FORMAT", "json"),
    ];
    let program = Running::start(&mut command(&settings));
    listening(port).await;
    (program, port)
}

/// The access-log lines of a program that is stopped now.
fn lines(program: Running) -> Vec<Value> {
    program.signal("TERM");
    let log = String::from_utf8(program.end().stdout).unwrap();
    let objects = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    objects.filter(|object| object["message"] == "request").collect()
}

/// The only line.
fn line(program: Running) -> Value {
    let mut lines = lines(program);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// A service that says when it gets a request and when its connection is closed, and answers nothing.
async fn silent_service() -> (ScriptedService, UnboundedReceiver<&'static str>) {
    let (tell, told) = mpsc::unbounded_channel();
    let service = ScriptedService::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            for event in ["forwarded", "cancelled"] {
                read_head(&mut stream).await;
                tell.send(event).unwrap();
            }
        }
    })
    .await;
    (service, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_before_its_response_leaves_a_line_with_status_499() {
    let (movies, mut told) = silent_service().await;
    let (program, port) = start(movies.address).await;
    let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
    client.write(request("DELETE", "/api/v1/movies/1", "", "")).await;
    assert_eq!(soon("it is forwarded", told.recv()).await, Some("forwarded"));
    drop(client);
    assert_eq!(soon("it is cancelled", told.recv()).await, Some("cancelled"));
    let line = line(program);
    assert_eq!((&line["method"], &line["status"]), (&"DELETE".into(), &499.into()), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_that_hang_up_as_soon_as_they_have_sent_a_delete_leave_fifty_lines() {
    let movies = EchoService::start("movie-service").await;
    let (program, port) = start(movies.address).await;
    for number in 0..50 {
        let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
        client.write(request("DELETE", &format!("/api/v1/movies/{number}"), "", "")).await;
    }
    // The last one; those before it have been accepted by then.
    send(([127, 0, 0, 1], port).into(), request("GET", "/health", "", "")).await;
    let lines = lines(program);
    let deletes = lines.iter().filter(|line| line["method"] == "DELETE");
    let mut paths: Vec<_> = deletes.map(|line| line["path"].to_string()).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 50, "{} were executed, {lines:?}", movies.seen().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_the_service_breaks_off_is_logged_as_such_with_the_bytes_sent() {
    for head in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let piece = if head.starts_with("C") { "half" } else { "4\r\nhalf\r\n" };
        let movies = ScriptedService::responding(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{piece}")).await;
        let (program, port) = start(movies.address).await;
        let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
        let response = client.send(request("GET", "/api/v1/movies", "", "")).await;
        assert!(!response.complete);
        let line = line(program);
        assert_eq!((&line["status"], &line["aborted"], &line["bytes"]), (&200.into(), &"upstream".into(), &4.into()));
        assert_eq!(line["level"], "WARN");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_within_its_response_is_logged_as_such_with_the_bytes_sent() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let movies = ScriptedService::start(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await.unwrap();
            read_head(&mut stream).await;
            tell.send("cancelled").unwrap();
        }
    })
    .await;
    let (program, port) = start(movies.address).await;
    let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
    client.write(request("GET", "/api/v1/movies", "", "")).await;
    client.head().await.unwrap();
    assert_eq!(client.chunk().await.as_deref(), Some(&b"half"[..]));
    drop(client);
    assert_eq!(soon("it is cancelled", told.recv()).await, Some("cancelled"));
    let line = line(program);
    assert_eq!((&line["status"], &line["aborted"], &line["bytes"]), (&200.into(), &"client".into(), &4.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_responses_have_route_bytes_and_upstream_time_and_are_not_aborted() {
    let movies = EchoService::start("movie-service").await;
    let (program, port) = start(movies.address).await;
    let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
    for (method, path) in [("GET", "/api/v1/movies"), ("HEAD", "/api/v1/movies"), ("OPTIONS", "/"), ("GET", "/health")]
    {
        client.send(request(method, path, "", "")).await;
    }
    assert_eq!(client.send(request("GET", "/api/v1/users/1", "", "")).await.status, 502);
    let lines = lines(program);
    let seen: Vec<_> = lines
        .iter()
        .map(|line| {
            assert!(line["micros"].is_u64() && line.get("aborted").is_none(), "{line}");
            (line["route"].as_str().unwrap(), line["bytes"].as_u64().unwrap(), line["upstream_micros"].is_u64())
        })
        .collect();
    assert_eq!(seen[..3], [("movie-service", 13, true), ("movie-service", 0, true), ("web", 0, false)]);
    assert_eq!((seen[3].0, seen[3].1 > 0, seen[3].2), ("health", true, false));
    assert_eq!((seen[4].0, seen[4].1 > 0, seen[4].2), ("user-preference-service", true, true));
}

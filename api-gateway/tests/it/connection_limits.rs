//! More connections than the gateway may have: who is served, who is told, and what is kept for the services.

use std::process::Command;

use crate::support::{
    Client, EchoService, GatewayBuilder, TestRedis,
    program::{Running, command, free_port, listening},
    request, soon,
};

async fn silent(count: usize, address: std::net::SocketAddr) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Client::connect(address).await);
    }
    clients
}

#[tokio::test]
async fn beyond_the_limit_health_is_answered_and_everything_else_refused_in_words() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new()
        .await
        .movies(movies.address)
        .set("MAX_CONNECTIONS", 64)
        .set("MAX_CONNECTIONS_PER_ADDRESS", 64)
        .start()
        .await;
    let held = silent(64, gateway.address).await;
    for path in ["/health", "/api/v1/health", "/ready"] {
        let response = gateway.client().await.send(request("GET", path, "", "")).await;
        assert_eq!((response.status, response.header("connection")), (200, Some("close")), "{path}");
    }
    let mut refused = gateway.client().await;
    let response = refused.send(request("GET", "/api/v1/movies", "", "")).await;
    assert_eq!((response.status, response.error()), (503, "too many connections, try again later".to_owned()));
    assert_eq!((response.header("retry-after"), response.header("connection")), (Some("1"), Some("close")));
    assert!(refused.is_closed().await && movies.seen().is_empty());

    drop(held);
    crate::support::eventually("a place is free", async || {
        gateway.client().await.send(request("GET", "/api/v1/movies", "", "")).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn one_address_cannot_take_the_connections_of_others() {
    let movies = EchoService::start("movie-service").await;
    let builder = GatewayBuilder::new().await.movies(movies.address).listen("0.0.0.0:0");
    let gateway = builder.set("MAX_CONNECTIONS_PER_ADDRESS", 2).start().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(Client::connect_from([127, 0, 0, 2], gateway.address).await);
    }
    let list = request("GET", "/api/v1/movies", "", "");
    assert_eq!(Client::connect_from([127, 0, 0, 2], gateway.address).await.send(&list).await.status, 503);
    assert_eq!(Client::connect_from([127, 0, 0, 3], gateway.address).await.send(&list).await.status, 200);
    assert_eq!(held[0].send(&list).await.status, 200, "who has a connection goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_leave_file_descriptors_for_the_services() {
    let (redis, movies) = (TestRedis::new().await, EchoService::start("movie-service").await);
    let (port, database, url) = (free_port(), redis.database.to_string(), format!("http://{}", movies.address));
    let settings = [
        ("SERVER_PORT", &*port.to_string()),
        ("REDIS_ADDR", &redis.address),
        ("REDIS_DB", &database),
        ("REDIS_TIMEOUT_MS", "5000"),
        ("MOVIE_SERVICE_URL", &url),
    ];
    let program = command(&settings);
    // 128 at most, and fewer until the gateway asks for more.
    let mut limited = Command::new("/bin/sh");
    let script = "ulimit -Sn 64 && ulimit -Hn 128 && exec \"$0\"";
    limited.args(["-c", script]).arg(program.get_program()).env_clear().current_dir(program.get_current_dir().unwrap());
    limited.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let _program = Running::start(limited.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()));
    let address = listening(port).await;

    let mut clients = silent(30, address).await;
    let _idle = silent(200, address).await;
    for client in &mut clients {
        let response = soon("an answer", client.send(request("GET", "/api/v1/movies", "", ""))).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }
}

#[tokio::test]
async fn what_cannot_be_read_as_a_request_is_refused_in_words() {
    let gateway = GatewayBuilder::new().await.start().await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: g\r\n\r\n", "x".repeat(65_600));
    let many = format!("GET / HTTP/1.1\r\nHost: g\r\n{}\r\n", "a: b\r\n".repeat(101));
    for (bytes, status, error) in [
        ("rubbish\r\n\r\n", 400, "this is not a valid HTTP/1.1 request"),
        ("GET / HTTP/1.1\r\nHost : g\r\n\r\n", 400, "this is not a valid HTTP/1.1 request"),
        ("GET / HTTP/9.9\r\nHost: g\r\n\r\n", 400, "this is not a valid HTTP/1.1 request"),
        (&long, 431, "the headers are too many or too large"),
        (&many, 431, "the headers are too many or too large"),
    ] {
        let mut client = gateway.client().await;
        client.write(bytes).await;
        let response = client.response().await;
        assert_eq!((response.status, response.error()), (status, error.to_owned()), "{:.40}", bytes);
        assert_eq!(response.json()["code"], "request_failed");
        assert!(response.header("date").is_some_and(|date| date.ends_with("GMT")));
        assert!(client.is_closed().await);
    }
    // After a good request on the same connection, too.
    let mut client = gateway.client().await;
    assert_eq!(client.send(request("GET", "/health", "", "")).await.status, 200);
    assert_eq!(client.send("rubbish\r\n\r\n").await.status, 400);
}

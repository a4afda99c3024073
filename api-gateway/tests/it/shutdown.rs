//! Stopping: what is in flight is finished, what is stuck ends by the deadline.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{Notify, mpsc},
    task::JoinSet,
};

use crate::support::{
    Client, EchoService, GatewayBuilder, ScriptedService, TestGateway, TestRedis, eventually, get,
    program::{Running, command, free_port, listening},
    request, soon,
    upstream::read_head,
};

/// A gateway whose only service answers when it is told to, and says when it was asked.
async fn with_slow_service(shutdown_seconds: u64) -> (TestGateway, mpsc::UnboundedReceiver<()>, Arc<Notify>) {
    let (asked, asks) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let gate = go_on.clone();
    let movies = ScriptedService::start(move |mut stream, _| {
        let (asked, gate) = (asked.clone(), gate.clone());
        async move {
            read_head(&mut stream).await;
            asked.send(()).unwrap();
            gate.notified().await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    })
    .await;
    let builder = GatewayBuilder::new().await.movies(movies.address).set("SHUTDOWN_TIMEOUT_SECONDS", shutdown_seconds);
    (builder.start().await, asks, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_are_finished_and_their_connections_closed() {
    let (gateway, mut asks, go_on) = with_slow_service(10).await;
    let address = gateway.address;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = gateway.client().await;
        client.write(request("GET", "/api/v1/movies", "", "")).await;
        soon("the service is asked", asks.recv()).await;
        clients.push(client);
    }
    // So many that every worker has one, which tells when that worker knows of the end.
    let mut idle = Vec::new();
    for _ in 0..16 {
        let mut client = gateway.client().await;
        assert_eq!(client.send(request("GET", "/health", "", "")).await.status, 200);
        idle.push(client);
    }
    gateway.stop();
    for mut client in idle {
        assert!(client.is_closed().await, "an idle connection is closed at once");
    }
    eventually("new connections are refused", async || TcpStream::connect(address).await.is_err()).await;
    for _ in 0..8 {
        go_on.notify_one();
    }
    for mut client in clients {
        let response = client.response().await;
        assert_eq!((response.status, response.text().as_str(), response.complete), (200, "ok", true));
        assert_eq!(response.header("connection"), Some("close"));
        assert!(client.is_closed().await);
    }
    assert!(gateway.stopped().await, "everything was finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn stuck_clients_do_not_hold_up_the_end_beyond_the_deadline() {
    let (gateway, mut asks, _go_on) = with_slow_service(1).await;
    let mut stuck = Vec::new();
    for message in [
        request("GET", "/api/v1/movies", "", ""),
        b"GET /api/v1/mov".to_vec(),
        b"POST /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\nContent-Length: 9\r\n\r\nhalf".to_vec(),
    ] {
        let mut client = gateway.client().await;
        client.write(message).await;
        stuck.push(client);
    }
    for _ in 0..2 {
        soon("the service is asked", asks.recv()).await;
    }
    let started = Instant::now();
    gateway.stop();
    assert!(!gateway.stopped().await, "not everything was finished");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_not_ready_while_it_still_accepts_connections_for_the_delay() {
    let gateway = GatewayBuilder::new().await.set("SHUTDOWN_DELAY_SECONDS", 1).start().await;
    assert_eq!(get(gateway.address, "/health/ready").await.status, 200);
    let started = Instant::now();
    gateway.stop();
    let report = get(gateway.address, "/health/ready").await;
    assert_eq!((report.status, &report.json()["status"]), (503, &"stopping".into()));
    assert_eq!(get(gateway.address, "/health/live").await.status, 200);
    assert!(gateway.stopped().await);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_gateway_stops_at_once() {
    let (gateway, _asks, _go_on) = with_slow_service(10).await;
    let started = Instant::now();
    gateway.stop();
    assert!(gateway.stopped().await);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_worker_that_waits_for_the_operating_system_does_not_hold_up_the_end() {
    let (begun, begins) = tokio::sync::oneshot::channel();
    let mut workers = api_gateway::workers::start().unwrap();
    let worker = workers.pop().unwrap();
    // As a name that is being resolved.
    worker.runtime().spawn_blocking(|| {
        begun.send(()).unwrap();
        std::thread::sleep(Duration::from_secs(60));
    });
    begins.await.unwrap();
    soon("the worker ends", tokio::task::spawn_blocking(|| worker.stop())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_takes_over_on_the_same_port_loses_no_request() {
    let (redis, movies) = (TestRedis::new().await, EchoService::start("movie-service").await);
    let (port, database, url) =
        (free_port().to_string(), redis.database.to_string(), format!("http://{}", movies.address));
    let settings = [
        ("SERVER_PORT", &*port),
        ("SERVER_REUSE_PORT", "true"),
        ("REDIS_ADDR", &redis.address),
        ("REDIS_DB", &database),
        ("REDIS_TIMEOUT_MS", "5000"),
        ("RATE_LIMIT_MAX", "1000000"),
        ("MOVIE_SERVICE_URL", &url),
    ];
    let start = || Running::start(command(&settings).stdout(Stdio::null()).stderr(Stdio::null()));
    let mut serving = start();
    let address = listening(port.parse().unwrap()).await;

    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        let stop = stop.clone();
        clients.spawn(async move {
            let mut answered = 0;
            while !stop.load(Ordering::Relaxed) {
                // A connection for each request: one that is kept may be closed while a request is on its way.
                let response = Client::connect(address).await.send(request("GET", "/api/v1/movies", "", "")).await;
                assert_eq!(response.status, 200);
                answered += 1;
            }
            answered
        });
    }
    for _ in 0..3 {
        let next = start();
        // Both listen: nothing outside tells when the new one does.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let previous = std::mem::replace(&mut serving, next);
        previous.signal("TERM");
        assert!(previous.end().status.success());
    }
    stop.store(true, Ordering::Relaxed);
    let answered: Vec<u32> = clients.join_all().await;
    assert!(answered.iter().all(|answered| *answered > 0), "{answered:?}");
}

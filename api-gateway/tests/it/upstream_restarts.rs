//! Services that restart under load, or stay away.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};

use crate::support::{GatewayBuilder, eventually, get, request, send};

/// A service with a runtime of its own, which ends as a process does: with all its connections.
fn start(address: SocketAddr) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = std::net::TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let app = axum::Router::new().fallback(async || {
            // Requests are in flight when it ends.
            sleep(Duration::from_millis(5)).await;
            "movies"
        });
        axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await
    });
    runtime
}

#[tokio::test(flavor = "multi_thread")]
async fn no_idempotent_request_is_lost_when_a_service_restarts() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut service = start(address);
    // Longer than by default, for the service shares its processors with other tests.
    let gateway = GatewayBuilder::new().await.movies(address).set("UPSTREAM_RESTART_WAIT_MS", 10_000).start().await;
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let (gateway, done, answered) = (gateway.address, done.clone(), answered.clone());
            tokio::spawn(async move {
                let mut client = crate::support::Client::connect(gateway).await;
                while !done.load(Ordering::SeqCst) {
                    let method = ["GET", "DELETE"][number % 2];
                    let response = client.send(request(method, "/api/v1/movies/1", "", "")).await;
                    assert_eq!((response.status, response.complete), (200, true), "{method} {}", response.text());
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..4 {
        let before = answered.load(Ordering::SeqCst);
        eventually("requests are answered", async || answered.load(Ordering::SeqCst) > before + 50).await;
        service.shutdown_background();
        sleep(Duration::from_millis(300)).await;
        service = start(address);
    }
    done.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    service.shutdown_background();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_come_back_is_502_after_the_wait_and_then_at_once() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let service = start(address);
    let builder = GatewayBuilder::new().await.movies(address).set("UPSTREAM_RESTART_WAIT_MS", 1000);
    let gateway = builder.start().await;
    assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 200);
    service.shutdown_background();
    let started = std::time::Instant::now();
    let response = get(gateway.address, "/api/v1/movies").await;
    assert_eq!((response.status, response.error().as_str()), (502, "service unavailable: movie-service"));
    assert!(started.elapsed() >= Duration::from_millis(900), "{:?}", started.elapsed());
    // Many of these would take minutes if each waited.
    for _ in 0..100 {
        assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 502);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn movies_and_genres_are_served_stale_while_their_service_is_away_and_nothing_else_is() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let service = start(address);
    let builder = GatewayBuilder::new().await.movies(address).set("UPSTREAM_RESTART_WAIT_MS", 0);
    let gateway = builder.set("STALE_CACHE_BYTES", 4_194_304).start().await;
    let kept = ["/api/v1/movies?page=2", "/api/v1/movies/1", "/api/v1/genres"];
    let others = ["/api/v1/movies/random", "/api/v1/admin/sync/jobs"];
    for path in kept.into_iter().chain(others) {
        let response = get(gateway.address, path).await;
        assert_eq!((response.status, response.header("cache-status")), (200, None), "{path}");
    }
    service.shutdown_background();
    for path in kept {
        let response = get(gateway.address, path).await;
        assert_eq!((response.status, response.text().as_str()), (200, "movies"), "{path}");
        let age: u64 = response.header("age").unwrap().parse().unwrap();
        let status = format!("api-gateway; hit; ttl=-{age}; detail=stale-if-error");
        assert_eq!(response.header("cache-status"), Some(status.as_str()));
        let post = send(gateway.address, request("POST", path, "", "{}")).await;
        assert_eq!(post.status, 502, "{path}");
    }
    for path in others.into_iter().chain(["/api/v1/movies", "/api/v1/movies/2"]) {
        assert_eq!(get(gateway.address, path).await.status, 502, "{path}");
    }
    let back = start(address);
    let response = get(gateway.address, kept[0]).await;
    assert_eq!((response.status, response.header("age")), (200, None));
    back.shutdown_background();
}

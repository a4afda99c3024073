//! Services that fail again and again, or have too much to do, are not asked.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{io::AsyncWriteExt, sync::mpsc};

use crate::support::{
    GatewayBuilder, ScriptedService, TestResponse, eventually, get, request, soon, upstream::read_head,
};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A service that answers nothing while the switch is on. Says when it gets a request.
async fn hanging(while_on: Arc<AtomicBool>) -> (ScriptedService, mpsc::UnboundedReceiver<()>) {
    let (asked, asks) = mpsc::unbounded_channel();
    let service = ScriptedService::start(move |mut stream, _| {
        let (while_on, asked) = (while_on.clone(), asked.clone());
        async move {
            while !read_head(&mut stream).await.is_empty() {
                asked.send(()).unwrap();
                if while_on.load(Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
                stream.write_all(OK).await.unwrap();
            }
        }
    })
    .await;
    (service, asks)
}

fn assert_refused(response: &TestResponse, code: &str) {
    assert_eq!((response.status, response.json()["code"].as_str()), (503, Some(code)), "{response:?}");
    assert!(response.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    assert!(response.error().starts_with("service unavailable: movie-service"), "{response:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_hangs_again_and_again_is_not_asked_until_it_answers_a_probe() {
    let switch = Arc::new(AtomicBool::new(true));
    let (movies, mut asks) = hanging(switch.clone()).await;
    let builder = GatewayBuilder::new().await.movies(movies.address).set("UPSTREAM_TIMEOUT_SECONDS", 1);
    let gateway = builder.set("UPSTREAM_BREAKER_FAILURES", 2).start().await;
    for _ in 0..2 {
        assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 504);
        soon("it is asked", asks.recv()).await.unwrap();
    }
    assert_refused(&get(gateway.address, "/api/v1/movies").await, "circuit_open");
    assert!(asks.try_recv().is_err(), "it is not asked");
    switch.store(false, Ordering::SeqCst);
    eventually("a probe closes the circuit", async || get(gateway.address, "/api/v1/movies").await.status == 200).await;
    assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_too_much_to_do_gets_no_bulk_and_administration_then_nothing_and_health_is_answered() {
    let switch = Arc::new(AtomicBool::new(true));
    let (movies, mut asks) = hanging(switch.clone()).await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).set("UPSTREAM_MAX_CONCURRENT", 4).start().await;
    let mut busy = Vec::new();
    for (number, path) in
        ["/api/v1/admin/sync", "/api/v1/movies/bulk", "/api/v1/movies", "/api/v1/movies/1"].into_iter().enumerate()
    {
        let mut client = gateway.client().await;
        client.write(request("POST", path, "", "")).await;
        soon("it is asked", asks.recv()).await.unwrap();
        busy.push(client);
        if number == 1 {
            assert_refused(&get(gateway.address, "/api/v1/admin/sync/jobs").await, "overloaded");
        }
    }
    assert_refused(&get(gateway.address, "/api/v1/movies").await, "overloaded");
    assert_eq!(get(gateway.address, "/health").await.status, 200);
    // Clients that hang up make room.
    switch.store(false, Ordering::SeqCst);
    busy.clear();
    eventually("there is room", async || get(gateway.address, "/api/v1/movies").await.status == 200).await;
}

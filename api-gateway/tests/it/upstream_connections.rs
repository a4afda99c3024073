//! Connections to the services: kept, used again, and never the reason for sending a POST twice.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use tokio::io::AsyncWriteExt;

use crate::support::{EchoService, GatewayBuilder, ScriptedService, request, upstream::read_head};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_services_are_used_again() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    // One connection stays with one worker.
    let mut client = gateway.client().await;
    for _ in 0..50 {
        assert_eq!(client.send(request("POST", "/api/v1/movies", "", "{}")).await.status, 200);
        assert_eq!(client.send(request("GET", "/api/v1/movies", "", "")).await.status, 200);
    }
    assert_eq!((movies.seen().len(), movies.connections()), (100, 1));
}

/// What a service does with the second request of a connection.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// Reads its head, then closes without a word.
    AfterRequestHead,
    /// Closes right after its first response, which may meet the next request half-way.
    AfterResponse,
    /// Reads its head and begins a response.
    WithinResponse,
}

/// A service that answers the first request of each connection and then does as told. Notes what it saw.
async fn ending(how: Ending, seen: Arc<Mutex<Vec<String>>>) -> ScriptedService {
    ScriptedService::start(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            let note = |head: String| seen.lock().unwrap().extend(head.lines().next().map(ToOwned::to_owned));
            note(read_head(&mut stream).await);
            let _ = stream.write_all(OK).await;
            if let Ending::AfterResponse = how {
                return;
            }
            note(read_head(&mut stream).await);
            if let Ending::WithinResponse = how {
                let _ = stream.write_all(b"HTTP/1.1 200").await;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_never_sent_twice_when_a_kept_connection_ends() {
    for how in [Ending::AfterRequestHead, Ending::AfterResponse, Ending::WithinResponse] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let movies = ending(how, seen.clone()).await;
        let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
        let mut client = gateway.client().await;
        let mut answered = HashSet::new();
        for number in 0..300 {
            let path = format!("/api/v1/movies/{number}");
            let status = client.send(request("POST", &path, "", "")).await.status;
            assert!(matches!(status, 200 | 502), "{how:?}: {status}");
            if status == 200 {
                answered.insert(format!("POST {path} HTTP/1.1"));
            }
        }
        let seen = seen.lock().unwrap().clone();
        let distinct: HashSet<_> = seen.iter().cloned().collect();
        assert_eq!(seen.len(), distinct.len(), "{how:?}: something was sent twice");
        assert!(answered.is_subset(&distinct) && !answered.is_empty(), "{how:?}");
    }
}

/// A service that sends each response and then closes, without having said so.
async fn closing_after_each_response(seen: Arc<Mutex<Vec<String>>>) -> ScriptedService {
    ending(Ending::AfterResponse, seen).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_get_fails_because_a_kept_connection_has_just_ended() {
    let movies = closing_after_each_response(Arc::default()).await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let clients = (0..8).map(|_| async {
        let mut client = gateway.client().await;
        for number in 0..400 {
            let method = ["GET", "HEAD", "DELETE", "OPTIONS"][number % 3];
            let response = client.send(request(method, "/api/v1/movies/1", "", "")).await;
            assert_eq!(response.status, 200, "{method} {number}");
        }
    });
    futures(clients).await;
}

/// Runs them at the same time, in this task.
async fn futures(all: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_not_written_is_sent_over_another_connection() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let movies = closing_after_each_response(seen.clone()).await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    for number in 0..20 {
        let path = format!("/api/v1/movies/{number}");
        assert_eq!(client.send(request("POST", &path, "", "{}")).await.status, 200);
        // The gateway learns of the end of the kept connection.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(seen.lock().unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_restarted_is_reached_over_a_new_connection() {
    let movies = ScriptedService::start(|mut stream, number| async move {
        read_head(&mut stream).await;
        let body = number.to_string();
        let _ = stream
            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
            .await;
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    for number in 0..10 {
        let response = client.send(request("GET", "/api/v1/movies", "", "")).await;
        assert_eq!((response.status, response.text()), (200, number.to_string()));
        // The gateway learns of the end of the kept connection.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

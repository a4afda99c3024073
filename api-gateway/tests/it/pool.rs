//! Connections to the services: kept, used again, and never the reason for sending a POST twice.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::io::AsyncWriteExt;

use crate::support::{Echo, Scripted, Setup, request, upstream::read_head};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_services_are_used_again() {
    let movies = Echo::start("movie-service").await;
    let gateway = Setup::new().await.movies(movies.address).start().await;
    // One connection stays with one worker.
    let mut client = gateway.client().await;
    for _ in 0..50 {
        assert_eq!(client.ask(request("POST", "/api/v1/movies", "", "{}")).await.status, 200);
        assert_eq!(client.ask(request("GET", "/api/v1/movies", "", "")).await.status, 200);
    }
    assert_eq!((movies.seen().len(), movies.connections()), (100, 1));
}

/// What a service does with the second request of a connection.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// Reads its head, then closes without a word.
    AfterTheHead,
    /// Closes right after its first answer, which may meet the next request half-way.
    AfterTheAnswer,
    /// Reads its head and begins an answer.
    WithinTheAnswer,
}

/// A service that answers the first request of each connection and then does as told. Counts the POSTs it saw.
async fn ending(how: Ending, posts: Arc<AtomicUsize>) -> Scripted {
    Scripted::start(move |mut stream, _| {
        let posts = posts.clone();
        async move {
            let count = |head: &str| posts.fetch_add(usize::from(head.starts_with("POST")), Ordering::SeqCst);
            count(&read_head(&mut stream).await);
            let _ = stream.write_all(OK).await;
            if let Ending::AfterTheAnswer = how {
                return;
            }
            count(&read_head(&mut stream).await);
            if let Ending::WithinTheAnswer = how {
                let _ = stream.write_all(b"HTTP/1.1 200").await;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_never_sent_twice_when_a_kept_connection_ends() {
    for how in [Ending::AfterTheHead, Ending::AfterTheAnswer, Ending::WithinTheAnswer] {
        let posts = Arc::new(AtomicUsize::new(0));
        let movies = ending(how, posts.clone()).await;
        let gateway = Setup::new().await.movies(movies.address).start().await;
        let mut client = gateway.client().await;
        let (mut sent, mut answered) = (0, 0);
        for _ in 0..200 {
            let status = client.ask(request("POST", "/api/v1/movies", "", "")).await.status;
            assert!(matches!(status, 200 | 502), "{how:?}: {status}");
            sent += 1;
            answered += usize::from(status == 200);
        }
        let seen = posts.load(Ordering::SeqCst);
        assert!((answered..=sent).contains(&seen), "{how:?}: {sent} sent, {answered} answered, {seen} seen");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_restarted_is_reached_over_a_new_connection() {
    let movies = Scripted::start(|mut stream, number| async move {
        read_head(&mut stream).await;
        let body = number.to_string();
        let _ = stream
            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
            .await;
    })
    .await;
    let gateway = Setup::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    for number in 0..10 {
        let answer = client.ask(request("GET", "/api/v1/movies", "", "")).await;
        assert_eq!((answer.status, answer.text()), (200, number.to_string()));
        // The gateway learns of the end of the kept connection.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

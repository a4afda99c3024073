//! Bodies flow: nothing waits for the rest, nothing is kept.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, mpsc},
};

use crate::support::{GatewayBuilder, ScriptedService, request, soon, upstream::read_head};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn a_piece_of_an_answer_arrives_before_the_service_has_sent_the_rest() {
    let go_on = Arc::new(Notify::new());
    let gate = go_on.clone();
    let movies = ScriptedService::start(move |mut stream, _| {
        let gate = gate.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(format!("{CHUNKED}5\r\nfirst\r\n").as_bytes()).await.unwrap();
            gate.notified().await;
            stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    client.write(request("GET", "/api/v1/movies", "", "")).await;
    assert_eq!(client.head().await.unwrap().0, 200);
    assert_eq!(client.chunk().await.as_deref(), Some(&b"first"[..]));
    go_on.notify_one();
    assert_eq!(client.chunk().await.as_deref(), Some(&b"second"[..]));
    assert_eq!(client.chunk().await.as_deref(), Some(&b""[..]));
}

#[tokio::test]
async fn a_piece_of_an_upload_arrives_before_the_client_has_sent_the_rest() {
    let (heard, mut hears) = mpsc::unbounded_channel();
    let movies = ScriptedService::start(move |mut stream, _| {
        let heard = heard.clone();
        async move {
            read_head(&mut stream).await;
            for length in [5, 6] {
                let mut piece = vec![0; length];
                stream.read_exact(&mut piece).await.unwrap();
                heard.send(piece).unwrap();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    let head = "POST /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\nContent-Length: 11\r\n\r\n";
    client.write(format!("{head}first")).await;
    assert_eq!(soon("the first piece", hears.recv()).await.as_deref(), Some(&b"first"[..]));
    client.write("second").await;
    assert_eq!(soon("the second piece", hears.recv()).await.as_deref(), Some(&b"second"[..]));
    assert_eq!(client.response().await.status, 200);
}

#[tokio::test]
async fn an_answer_that_begins_before_the_upload_has_ended_flows_beside_it() {
    let movies = ScriptedService::start(move |mut stream, _| async move {
        read_head(&mut stream).await;
        let mut line = [0; 5];
        stream.read_exact(&mut line).await.unwrap();
        stream.write_all(format!("{CHUNKED}3\r\none\r\n").as_bytes()).await.unwrap();
        stream.read_exact(&mut line).await.unwrap();
        stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    let head = "POST /api/v1/movies/bulk HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\nContent-Length: 10\r\n\r\n";
    client.write(format!("{head}line1")).await;
    assert_eq!(client.head().await.unwrap().0, 200);
    assert_eq!(client.chunk().await.as_deref(), Some(&b"one"[..]));
    client.write("line2").await;
    assert_eq!(client.chunk().await.as_deref(), Some(&b"two"[..]));
    assert_eq!(client.chunk().await.as_deref(), Some(&b""[..]));
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_told_to_go_on() {
    let movies = crate::support::EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    let head = "POST /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\nContent-Length: 4\r\n";
    client.write(format!("{head}Expect: 100-continue\r\n\r\n")).await;
    assert_eq!(client.head().await.unwrap().0, 100);
    client.write("body").await;
    assert_eq!(client.response().await.status, 200);
    let seen = movies.seen().remove(0);
    assert_eq!((seen.body.as_deref(), seen.all("expect").len()), (Some(&b"body"[..]), 0));
}

/// A service that notes the bytes of one request up to `end`, and answers with `response`.
async fn noting(end: &'static str, response: &'static str) -> (ScriptedService, mpsc::UnboundedReceiver<String>) {
    let (heard, hears) = mpsc::unbounded_channel();
    let movies = ScriptedService::start(move |mut stream, _| {
        let heard = heard.clone();
        async move {
            let mut request = read_head(&mut stream).await;
            while !request.ends_with(end) {
                request.push(char::from(stream.read_u8().await.unwrap()));
            }
            heard.send(request).unwrap();
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    })
    .await;
    (movies, hears)
}

#[tokio::test]
async fn a_chunked_body_of_any_method_is_forwarded() {
    for method in ["GET", "DELETE", "POST"] {
        let (movies, mut hears) = noting("0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
        let mut client = gateway.client().await;
        client.write(request(method, "/api/v1/movies", "Transfer-Encoding: chunked\r\n", "")).await;
        client.write("4\r\nbody\r\n0\r\n\r\n").await;
        let heard = soon("the request", hears.recv()).await.unwrap();
        assert!(heard.ends_with("\r\n\r\n4\r\nbody\r\n0\r\n\r\n"), "{method}: {heard}");
        assert_eq!(client.response().await.status, 200);
    }
}

#[tokio::test]
async fn announced_trailers_of_requests_and_responses_are_forwarded() {
    let response =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n";
    let (movies, mut hears) = noting("x-sum: 5\r\n\r\n", response).await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    let more = "Transfer-Encoding: chunked\r\nTrailer: x-sum\r\nTE: gzip, trailers\r\nConnection: TE\r\n";
    client.write(request("POST", "/api/v1/movies", more, "")).await;
    client.write("4\r\nbody\r\n0\r\nx-sum: 5\r\n\r\n").await;
    let heard = soon("the request", hears.recv()).await.unwrap().to_lowercase();
    for line in ["trailer: x-sum", "te: trailers", "connection: te"] {
        assert!(heard.contains(&format!("\r\n{line}\r\n")), "{line}: {heard}");
    }
    let mut answer = Vec::new();
    while !answer.ends_with(b"x-sum: 7\r\n\r\n") {
        soon("the rest", client.stream.read_buf(&mut answer)).await.unwrap();
    }
}

/// Most that may be on the way: the sockets' buffers and a few pieces in the gateway.
const ON_THE_WAY: usize = 20 << 20;
const LARGE: usize = 50 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_waits_in_the_client_for_a_service_that_does_not_read() {
    let go_on = Arc::new(Notify::new());
    let gate = go_on.clone();
    let movies = ScriptedService::start(move |mut stream, _| {
        let gate = gate.clone();
        async move {
            read_head(&mut stream).await;
            gate.notified().await;
            let (mut left, mut buffer) = (LARGE, vec![0; 1 << 16]);
            while left > 0 {
                left -= stream.read(&mut buffer).await.unwrap();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).set("MAX_BODY_BYTES", LARGE).start().await;
    let mut client = gateway.client().await;
    let head = "POST /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\n";
    client.write(format!("{head}Content-Length: {LARGE}\r\n\r\n")).await;
    let (mut reader, mut writer) = client.stream.into_split();
    let sent = Arc::new(AtomicUsize::new(0));
    let progress = sent.clone();
    let sending = tokio::spawn(async move {
        let piece = vec![b'x'; 1 << 16];
        while progress.load(Ordering::SeqCst) < LARGE {
            writer.write_all(&piece).await.unwrap();
            progress.fetch_add(piece.len(), Ordering::SeqCst);
        }
        writer
    });
    let held_back = until_it_stands_still(&sent).await;
    assert!(held_back < ON_THE_WAY, "{held_back} bytes were taken although the service reads nothing");
    go_on.notify_one();
    let _writer = soon("the rest", sending).await.unwrap();
    let mut response = vec![0; 12];
    soon("the response", reader.read_exact(&mut response)).await.unwrap();
    assert_eq!(response, b"HTTP/1.1 200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_waits_in_the_service_for_a_client_that_does_not_read() {
    let sent = Arc::new(AtomicUsize::new(0));
    let progress = sent.clone();
    let movies = ScriptedService::start(move |mut stream, _| {
        let progress = progress.clone();
        async move {
            read_head(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![b'x'; 1 << 16];
            while progress.load(Ordering::SeqCst) < LARGE {
                stream.write_all(&piece).await.unwrap();
                progress.fetch_add(piece.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).start().await;
    let mut client = gateway.client().await;
    client.write(request("GET", "/api/v1/movies", "", "")).await;
    let held_back = until_it_stands_still(&sent).await;
    assert!(held_back < ON_THE_WAY, "{held_back} bytes were taken although the client reads nothing");
    let response = client.response().await;
    assert_eq!((response.body.len(), response.complete), (LARGE, true));
}

/// The value of a counter that has not changed for a while.
async fn until_it_stands_still(counter: &AtomicUsize) -> usize {
    let mut last = 0;
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let now = counter.load(Ordering::SeqCst);
        if now == last && now > 0 {
            return now;
        }
        last = now;
    }
}

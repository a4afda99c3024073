//! Clients that do not take their responses are closed; slow ones, and those that have nothing to take, are not.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

use api_gateway::stall_timeout::StallTimeout;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    net::{TcpSocket, TcpStream},
    sync::mpsc,
    time::{Instant, sleep},
};

use crate::support::{GatewayBuilder, ScriptedService, TestGateway, request, soon, upstream::read_head};

const LIMIT: Duration = Duration::from_secs(20);
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A connection to a client that has room for `room` bytes, and the client's end.
fn connection(room: usize) -> (StallTimeout<DuplexStream>, DuplexStream) {
    let (server, client) = duplex(room);
    (StallTimeout::new(server, LIMIT), client)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_given_up_after_the_limit() {
    let (mut server, _client) = connection(10);
    let started = Instant::now();
    let error = server.write_all(&[0; 1000]).await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed().as_secs()), (std::io::ErrorKind::TimedOut, LIMIT.as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_trickles_is_given_up_about_as_soon() {
    let (mut server, mut client) = connection(10);
    let started = Instant::now();
    tokio::spawn(async move {
        while client.read_u8().await.is_ok() {
            sleep(Duration::from_secs(2)).await;
        }
    });
    let error = server.write_all(&[0; 1000]).await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed().as_secs()), (std::io::ErrorKind::TimedOut, LIMIT.as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_slow_but_steady_gets_all() {
    let (mut server, mut client) = connection(10);
    let started = Instant::now();
    let reading = tokio::spawn(async move {
        let (mut all, mut piece) = (0, vec![0; 4096]);
        while let Ok(length @ 1..) = client.read(&mut piece).await {
            all += length;
            sleep(Duration::from_millis(length as u64)).await;
        }
        all
    });
    server.write_all(&vec![0; 100_000]).await.unwrap();
    drop(server);
    assert_eq!(reading.await.unwrap(), 100_000);
    assert!(started.elapsed() > LIMIT * 4);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_still_sending_may_read_later() {
    let (mut server, mut client) = connection(1024);
    let started = Instant::now();
    let sending = tokio::spawn(async move {
        for _ in 0..60 {
            client.write_all(&[0; 1024]).await.unwrap();
            sleep(Duration::from_secs(1)).await;
        }
        client
    });
    let both = poll_fn(|context| {
        let mut room = [0; 1024];
        let _ = Pin::new(&mut server).poll_read(context, &mut ReadBuf::new(&mut room));
        loop {
            if let Err(error) = ready!(Pin::new(&mut server).poll_write(context, &[0; 1000])) {
                return Poll::Ready(error.kind());
            }
        }
    });
    assert_eq!(both.await, std::io::ErrorKind::TimedOut);
    let _client = sending.await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 59 + LIMIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn time_in_which_nothing_is_to_be_sent_does_not_count() {
    let (mut server, mut client) = connection(10);
    for _ in 0..10 {
        sleep(LIMIT * 2).await;
        let mut all = [0; 100];
        let (written, read) = tokio::join!(server.write_all(&[0; 100]), client.read_exact(&mut all));
        assert!(written.is_ok() && read.is_ok());
    }
}

/// A gateway that waits a second for its clients, before a service that says when it cannot send any more: it sends
/// each of `pieces` once, and then the last one again and again with a pause before.
async fn with_service(pieces: &'static [usize], pause: Duration) -> (TestGateway, mpsc::UnboundedReceiver<()>) {
    let (released, releases) = mpsc::unbounded_channel();
    let movies = ScriptedService::start(move |mut stream, _| {
        let released = released.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(CHUNKED.as_bytes()).await.unwrap();
            let again = std::iter::repeat(pieces.last().unwrap());
            for length in pieces.iter().chain(again) {
                let piece = format!("{length:x}\r\n{}\r\n", "x".repeat(*length));
                if stream.write_all(piece.as_bytes()).await.is_err() {
                    break;
                }
                sleep(pause).await;
            }
            let _ = released.send(());
        }
    })
    .await;
    (GatewayBuilder::new().await.movies(movies.address).set("WRITE_TIMEOUT_SECONDS", 1).start().await, releases)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_is_closed_and_the_service_released() {
    let (gateway, mut releases) = with_service(&[1 << 16], Duration::ZERO).await;
    let mut client = gateway.client().await;
    client.write(request("GET", "/api/v1/movies", "", "")).await;
    assert_eq!(client.head().await.unwrap().0, 200);
    soon("the service is released", releases.recv()).await.unwrap();
    while let Some(piece) = client.chunk().await {
        assert!(!piece.is_empty(), "the response must not look complete");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_a_byte_now_and_then_is_closed_and_the_service_released() {
    let (gateway, mut releases) = with_service(&[1 << 16], Duration::ZERO).await;
    let mut client = gateway.client().await;
    client.write(request("GET", "/api/v1/movies", "", "")).await;
    let trickling = async {
        while client.stream.read_u8().await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        released = soon("the service is released", releases.recv()) => released.unwrap(),
        () = trickling => panic!("it is closed before it has read what was sent"),
    }
}

/// What is sent fits into the buffers of the operating system: only that sees that nobody reads it.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_small_events_unread_is_closed_and_the_service_released() {
    let (gateway, mut releases) = with_service(&[50_000, 1], Duration::from_millis(100)).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut client: TcpStream = soon("connecting", socket.connect(gateway.address)).await.unwrap();
    client.write_all(&request("GET", "/api/v1/movies", "", "")).await.unwrap();
    soon("the service is released", releases.recv()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_idle_for_longer_than_the_limit_goes_on() {
    let (gateway, mut releases) = with_service(&[1], Duration::from_millis(1500)).await;
    let mut client = gateway.client().await;
    client.write(request("GET", "/api/v1/movies", "", "")).await;
    assert_eq!(client.head().await.unwrap().0, 200);
    for _ in 0..3 {
        assert_eq!(client.chunk().await.as_deref(), Some(&b"x"[..]));
    }
    assert!(releases.try_recv().is_err());
}

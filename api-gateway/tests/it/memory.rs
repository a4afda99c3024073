//! What clients cost in memory.
#![cfg(target_os = "linux")]

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::support::{
    Client, ScriptedService,
    program::{Running, command, free_port, listening},
    request, soon,
    upstream::read_head,
};

/// 500 of them must cost less than 40 MB.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_costs_less_than_80_kb() {
    const CLIENTS: usize = 200;
    const KIB_EACH: usize = 80_000 / 1024;
    let (stalled, mut stalls) = tokio::sync::mpsc::unbounded_channel();
    let movies = ScriptedService::start(move |mut stream, _| {
        let stalled = stalled.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n").await.unwrap();
            let (piece, pause) = (vec![b'x'; 1 << 16], Duration::from_millis(500));
            while let Ok(Ok(())) = tokio::time::timeout(pause, stream.write_all(&piece)).await {}
            // The connection stays open.
            stalled.send(stream).unwrap();
        }
    })
    .await;
    let (port, url) = (free_port().to_string(), format!("http://{}", movies.address));
    let settings = [
        ("SERVER_PORT", port.as_str()),
        ("MOVIE_SERVICE_URL", &url),
        ("REDIS_ADDR", "127.0.0.1:1"),
        ("WRITE_TIMEOUT_SECONDS", "3600"),
    ];
    let program = Running::start(&mut command(&settings));
    let address = listening(port.parse().unwrap()).await;
    let (mut clients, mut streams, mut resident) = (Vec::new(), Vec::new(), Vec::new());
    // The first ones show what the program itself needs.
    for number in [4, CLIENTS] {
        for _ in 0..number {
            let mut client = Client::connect(address).await;
            client.write(request("GET", "/api/v1/movies", "", "")).await;
            clients.push(client);
        }
        for _ in 0..number {
            streams.push(soon("it stalls", stalls.recv()).await.unwrap());
        }
        resident.push(program.resident_kib());
    }
    let each = (resident[1] - resident[0]) / CLIENTS;
    assert!(each < KIB_EACH, "{each} KiB each");
}

//! A closed-loop load generator that costs little itself: each connection sends the same bytes again as soon as the
//! answer is there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// What is sent, and where to.
#[derive(Clone)]
pub struct Target {
    port: u16,
    request: Vec<u8>,
    /// Where a number is put into the request, another each time, and the next one.
    number: Option<(usize, Arc<AtomicU64>)>,
}

impl Target {
    /// A GET with a token.
    pub fn get(port: u16, path: &str) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n");
        Self { port, request: request.into_bytes(), number: None }
    }

    /// A GET with a token, whose path ends with a number that is another each time.
    pub fn get_numbered(port: u16, path: &str) -> Self {
        let number = Some(("GET ".len() + path.len(), Arc::default()));
        Self { number, ..Self::get(port, path) }
    }

    /// A POST of JSON with a token.
    pub fn post(port: u16, path: &str, body: &str) -> Self {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { port, request: request.into_bytes(), number: None }
    }

    /// The bytes of the next request.
    fn write_next(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(&self.request);
        if let Some((at, next)) = &self.number {
            let number = next.fetch_add(1, Ordering::Relaxed).to_string();
            bytes.splice(*at..*at, number.into_bytes());
        }
    }
}

/// What came of a load.
pub struct Outcome {
    /// Answers per second.
    pub per_second: f64,
    /// Answers that were not 2xx.
    pub failed: usize,
    /// Median time of an answer in milliseconds.
    pub p50_millis: f64,
    /// 99th percentile in milliseconds.
    pub p99_millis: f64,
}

/// Keeps up a load for `time`.
pub async fn run(target: Target, connections: usize, time: Duration) -> Outcome {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // A thread of its own, so that nothing else runs between two requests.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _ = sender.send(runtime.block_on(run_here(target, connections, time)));
    });
    receiver.await.expect("the load generator ends")
}

async fn run_here(target: Target, connections: usize, time: Duration) -> Outcome {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(connection(target.clone(), started + time));
    }
    let (mut latencies, mut failed) = (Vec::new(), 0);
    while let Some(result) = tasks.join_next().await {
        let (times, bad) = result.expect("a connection ends");
        latencies.extend(times);
        failed += bad;
    }
    let elapsed = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    Outcome { per_second: latencies.len() as f64 / elapsed, failed, p50_millis: at(0.5), p99_millis: at(0.99) }
}

async fn connection(target: Target, end: Instant) -> (Vec<Duration>, usize) {
    let mut stream = TcpStream::connect(("127.0.0.1", target.port)).await.expect("the service listens");
    stream.set_nodelay(true).expect("a socket option");
    let (mut times, mut failed, mut buffer) = (Vec::new(), 0, Vec::with_capacity(64 * 1024));
    let mut request = Vec::with_capacity(1024);
    while Instant::now() < end {
        target.write_next(&mut request);
        let sent = Instant::now();
        stream.write_all(&request).await.expect("the service reads");
        let good = read_answer(&mut stream, &mut buffer).await;
        times.push(sent.elapsed());
        failed += usize::from(!good);
    }
    (times, failed)
}

/// Reads one answer with a `Content-Length`; says whether it is 2xx.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let mut whole = usize::MAX;
    while buffer.len() < whole {
        let read = stream.read_buf(buffer).await.expect("the service answers");
        assert!(read > 0, "the service hung up");
        if whole == usize::MAX
            && let Some(head) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")
        {
            whole = head + 4 + content_length(&buffer[..head]);
        }
    }
    buffer.get(9) == Some(&b'2')
}

fn content_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("headers are ASCII here");
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-length:"));
    line.and_then(|line| line[15..].trim().parse().ok()).expect("answers have a length here")
}

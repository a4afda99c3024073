//! The service behind the gateway: it records every request as the bytes it got, and answers with the target that it read.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

/// A request whose target contains this is answered with 403 before its body is read.
pub const EARLY: &str = "/early";
/// A request whose target contains this is answered with what [`Upstream::answer_bomb_with`] was given.
pub const BOMB: &str = "/bomb";
/// A request whose target contains this gets an answer, and right behind it a second one that nobody asked for.
pub const SURPLUS: &str = "/surplus";
/// Connections that may wait to be accepted. The standard library's 128 are too few for a thousand clients at once: a
/// connection beyond them is tried again after a second, which is too late for a gateway.
const BACKLOG: u32 = 4096;
/// A header of every answer.
pub const MARK: &str = "x-answered-by";

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The request line and the headers, each byte one character.
    pub head: String,
    /// `None` when it did not come whole.
    pub body: Option<Vec<u8>>,
}

impl Recorded {
    /// The target in the request line.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// Every value of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// Whether every server would find the end of this message at the same place (RFC 9112, section 6).
    pub fn is_unambiguous(&self) -> bool {
        let (lengths, codings) = (self.all("content-length"), self.all("transfer-encoding"));
        let is_number = |length: &&str| !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let is_token =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        let names = self.head.split("\r\n").skip(1).map(|line| line.split_once(':').map_or("", |(name, _)| name));
        lengths.len() + codings.len() <= 1
            && lengths.iter().all(is_number)
            && codings.iter().all(|coding| coding.eq_ignore_ascii_case("chunked"))
            && names.into_iter().all(is_token)
            && !self.head.replace("\r\n", "").contains(['\r', '\n', '\0'])
    }
}

/// The service; clones are the same one. It runs until the process ends.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    recorded: Vec<Recorded>,
    /// The body of an answer and its `Content-Encoding`.
    bomb: Vec<u8>,
}

impl Upstream {
    /// Listens on a port of this machine, 0 for a free one.
    pub fn start(port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = {
            let _entered = runtime.enter();
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind((Ipv4Addr::LOCALHOST, port).into()).unwrap();
            socket.listen(BACKLOG).unwrap()
        };
        let upstream = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let served = upstream.clone();
        // A thread of its own: it must also answer while the runtime of a test is busy or gone.
        std::thread::spawn(move || runtime.block_on(served.accept(listener)));
        upstream
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Recorded> {
        self.state.lock().unwrap().recorded.clone()
    }

    /// Forgets every request so far.
    pub fn forget(&self) {
        self.state.lock().unwrap().recorded.clear();
    }

    /// What requests for [`BOMB`] get, as gzip.
    pub fn answer_bomb_with(&self, gzip: &[u8]) {
        self.state.lock().unwrap().bomb = gzip.to_vec();
    }

    async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(self.clone().serve(stream))),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn serve(self, stream: TcpStream) -> Option<()> {
        let mut connection = Connection { stream, buffer: Vec::new() };
        loop {
            let end = connection.fill_until(b"\r\n\r\n").await?;
            let head: String = connection.take(end).iter().copied().map(char::from).collect();
            connection.take(4);
            let number = self.record(head.clone());
            let request = Recorded { head, body: None };
            if request.target().contains(EARLY) {
                connection.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nearly").await?;
            } else if !request.all("expect").is_empty() {
                connection.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            let body = connection.body(&request).await?;
            self.state.lock().unwrap().recorded.get_mut(number)?.body = Some(body);
            if !request.target().contains(EARLY) {
                connection.write(&self.answer(&request)).await?;
            }
            if request.all("connection").contains(&"close") || request.head.ends_with("HTTP/1.0") {
                return None;
            }
        }
    }

    fn record(&self, head: String) -> usize {
        let recorded = &mut self.state.lock().unwrap().recorded;
        recorded.push(Recorded { head, body: None });
        recorded.len() - 1
    }

    fn answer(&self, request: &Recorded) -> Vec<u8> {
        let (encoding, body) = if request.target().contains(BOMB) {
            ("Content-Encoding: gzip\r\n", self.state.lock().unwrap().bomb.clone())
        } else {
            ("", request.target().as_bytes().to_vec())
        };
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\n{MARK}: upstream\r\n{encoding}Content-Length: {length}\r\n\r\n");
        let times = if request.target().contains(SURPLUS) { 2 } else { 1 };
        [head.as_bytes(), &body].concat().repeat(times)
    }
}

/// Every function gives `None` when the connection ends before its time.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.stream.write_all(bytes).await.ok()
    }

    async fn body(&mut self, request: &Recorded) -> Option<Vec<u8>> {
        if !request.all("transfer-encoding").is_empty() {
            return self.chunks().await;
        }
        let length = request.all("content-length").first().map_or(Some(0), |length| length.parse().ok())?;
        self.fill(length).await?;
        Some(self.take(length))
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Some(body);
            }
            self.fill(size + 2).await?;
            body.extend(self.take(size));
            self.take(2);
        }
    }

    async fn line(&mut self) -> Option<String> {
        let end = self.fill_until(b"\r\n").await?;
        let line = String::from_utf8(self.take(end)).ok();
        self.take(2);
        line
    }

    async fn fill_until(&mut self, mark: &[u8]) -> Option<usize> {
        loop {
            if let Some(end) = self.buffer.windows(mark.len()).position(|window| window == mark) {
                return Some(end);
            }
            self.more().await?;
        }
    }

    async fn fill(&mut self, length: usize) -> Option<()> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Some(())
    }

    async fn more(&mut self) -> Option<()> {
        self.stream.read_buf(&mut self.buffer).await.ok().filter(|read| *read > 0).map(drop)
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        self.buffer.drain(..length.min(self.buffer.len())).collect()
    }
}

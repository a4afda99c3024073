//! A client that sends exactly the bytes it is given, and reads responses strictly.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::soon;

/// One response.
#[derive(Debug, Clone)]
pub struct TestResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body came to the end that its framing promised.
    pub complete: bool,
}

impl TestResponse {
    /// The only value of a header; fails when it repeats.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        assert!(values.len() < 2, "{name} repeats: {values:?}");
        values.first().copied()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The `error` of an error body.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection.
pub struct Client {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: soon("connecting", TcpStream::connect(address)).await.unwrap(), buffer: Vec::new() }
    }

    /// A connection from another of this machine's own addresses.
    pub async fn connect_from(source: [u8; 4], address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((source, 0))).unwrap();
        Self { stream: soon("connecting", socket.connect(address)).await.unwrap(), buffer: Vec::new() }
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        soon("writing", self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends a request and reads its response.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> TestResponse {
        self.write(&bytes).await;
        self.response_to(bytes.as_ref().starts_with(b"HEAD ")).await
    }

    pub async fn response(&mut self) -> TestResponse {
        self.response_to(false).await
    }

    async fn response_to(&mut self, head: bool) -> TestResponse {
        self.try_response(head).await.expect("a response before the connection closes")
    }

    /// The next response; `None` when the connection closes before its head is complete.
    pub async fn try_response(&mut self, head: bool) -> Option<TestResponse> {
        let (status, headers) = self.head().await?;
        let mut response = TestResponse { status, headers, body: Vec::new(), complete: true };
        if !head && !matches!(status, 100..200 | 204 | 304) {
            self.body(&mut response).await;
        }
        Some(response)
    }

    /// Status and headers of the next response.
    pub async fn head(&mut self) -> Option<(u16, Vec<(String, String)>)> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            if self.more().await == 0 {
                return None;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 4);
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let headers = lines.map(|line| line.split_once(": ").unwrap_or((line.trim_end_matches(':'), "")));
        Some((status.unwrap_or_else(|| panic!("no status in {text:?}")), headers.map(owned).collect()))
    }

    async fn body(&mut self, response: &mut TestResponse) {
        if let Some(length) = response.header("content-length") {
            let length = length.parse().expect("a length");
            response.complete = self.fill(length).await;
            response.body = self.take(length);
        } else if response.header("transfer-encoding").is_some() {
            response.complete = loop {
                match self.chunk().await {
                    Some(chunk) if chunk.is_empty() => break true,
                    Some(chunk) => response.body.extend(chunk),
                    None => break false,
                }
            };
        } else {
            while self.more().await > 0 {}
            response.body = self.take(usize::MAX);
        }
    }

    /// The next chunk of a chunked body; empty at its end, `None` when it is cut off.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let end = loop {
            match find(&self.buffer, b"\r\n") {
                Some(at) => break at,
                None if self.more().await == 0 => return None,
                None => {}
            }
        };
        let size = usize::from_str_radix(std::str::from_utf8(&self.buffer[..end]).ok()?.trim(), 16).ok()?;
        self.buffer.drain(..end + 2);
        if !self.fill(size + 2).await {
            return None;
        }
        let chunk = self.take(size);
        self.take(2);
        Some(chunk)
    }

    /// Whether the other side closes without sending anything more.
    pub async fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && self.more().await == 0
    }

    async fn fill(&mut self, length: usize) -> bool {
        while self.buffer.len() < length {
            if self.more().await == 0 {
                return false;
            }
        }
        true
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        self.buffer.drain(..length.min(self.buffer.len())).collect()
    }

    /// Reads what has come; 0 at the end, also when the connection is reset.
    async fn more(&mut self) -> usize {
        soon("reading", self.stream.read_buf(&mut self.buffer)).await.unwrap_or(0)
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// A request as bytes, with a token; `more` are further header lines, each ending in `\r\n`.
pub fn request(method: &str, path: &str, more: &str, body: &str) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n{length}{more}\r\n{body}").into()
}

/// One request on a connection of its own.
pub async fn send(address: SocketAddr, bytes: impl AsRef<[u8]>) -> TestResponse {
    Client::connect(address).await.send(bytes).await
}

/// GET with a token on a connection of its own.
pub async fn get(address: SocketAddr, path: &str) -> TestResponse {
    send(address, request("GET", path, "", "")).await
}

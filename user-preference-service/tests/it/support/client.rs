//! HTTP by hand, so that a test can stop anywhere in the middle.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that is kept open between requests.
pub struct Connection(TcpStream);

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Sends a request with a body and does not wait for the answer.
    pub async fn send(&mut self, method: &str, path: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n{body}");
        self.0.write_all(request.as_bytes()).await
    }

    /// Hangs up at once, as a client that crashed does; dropping it only says that nothing more will be sent.
    pub fn reset(self) {
        self.0.set_zero_linger().unwrap();
    }

    /// Waits for the answer: status and body.
    pub async fn receive(&mut self) -> io::Result<(u16, String)> {
        let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let mut seen = Vec::new();
        loop {
            if let Some(answer) = whole_answer(&seen) {
                return Ok(answer);
            }
            if self.0.read_buf(&mut seen).await? == 0 {
                return Err(broken());
            }
        }
    }
}

/// One request on a connection of its own.
pub async fn exchange(address: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
    let mut connection = Connection::open(address).await?;
    connection.send(method, path, body).await?;
    connection.receive().await
}

fn whole_answer(seen: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(seen).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.get(..length)?.to_owned()))
}

//! A client that costs little itself: one connection, one request after the other.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Longest wait for a piece of an response.
const WAIT_TIMEOUT: Duration = Duration::from_secs(120);

/// A connection that is kept.
pub struct Client {
    stream: TcpStream,
}

/// A response.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects to this machine.
    pub fn connect(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(WAIT_TIMEOUT))?;
        stream.set_write_timeout(Some(WAIT_TIMEOUT))?;
        Ok(Self { stream })
    }

    /// Sends a GET.
    pub fn get(&mut self, path: &str) -> std::io::Result<Response> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes())?;
        self.response()
    }

    /// Sends a POST of lines of JSON. Results may come while lines are still being sent.
    pub fn post_lines(&mut self, path: &str, lines: &[u8]) -> std::io::Result<Response> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
            lines.len()
        );
        let mut sending = self.stream.try_clone()?;
        std::thread::scope(|scope| {
            let sent = scope.spawn(move || sending.write_all(head.as_bytes()).and_then(|()| sending.write_all(lines)));
            let response = self.response();
            sent.join().expect("sending does not panic")?;
            response
        })
    }

    /// The times of many GETs, after some that do not count: at least `requests` of them, unless that takes longer than
    /// `longest`; or what the response was when it was not 200. The paths take turns; `{n}` in one is another number each time.
    pub fn times(&mut self, paths: &[String], requests: usize, longest: Duration) -> Result<Vec<Duration>, String> {
        let path = |number: usize| numbered(&paths[number % paths.len()], number);
        let warm_up = Instant::now();
        for number in 0..requests / 10 {
            self.good(&path(number))?;
            if warm_up.elapsed() > longest / 5 {
                break;
            }
        }
        let (begun, mut times) = (Instant::now(), Vec::new());
        while times.len() < requests && begun.elapsed() < longest {
            let path = path(requests + times.len());
            let sent = Instant::now();
            self.good(&path)?;
            times.push(sent.elapsed());
        }
        Ok(times)
    }

    /// The body of a GET that must be answered with 200.
    pub fn good(&mut self, path: &str) -> Result<Vec<u8>, String> {
        match self.get(path) {
            Ok(Response { status: 200, body }) => Ok(body),
            Ok(Response { status, body }) => Err(format!("HTTP {status} {}", String::from_utf8_lossy(&body))),
            Err(error) => Err(error.to_string()),
        }
    }

    fn response(&mut self) -> std::io::Result<Response> {
        let mut buffer = Vec::with_capacity(64 * 1024);
        let head = loop {
            if let Some(at) = find(&buffer, b"\r\n\r\n") {
                break at;
            }
            self.more(&mut buffer)?;
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).map(str::trim);
        buffer.drain(..head + 4);
        let body = match length.and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => {
                while buffer.len() < length {
                    self.more(&mut buffer)?;
                }
                buffer
            }
            None => self.chunks(buffer)?,
        };
        Ok(Response { status, body })
    }

    fn chunks(&mut self, mut buffer: Vec<u8>) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(at) = find(&buffer, b"\r\n") {
                    break at;
                }
                self.more(&mut buffer)?;
            };
            let size = String::from_utf8_lossy(&buffer[..line]).into_owned();
            let size = usize::from_str_radix(size.trim(), 16).map_err(std::io::Error::other)?;
            while buffer.len() < line + 2 + size + 2 {
                self.more(&mut buffer)?;
            }
            body.extend_from_slice(&buffer[line + 2..line + 2 + size]);
            buffer.drain(..line + 2 + size + 2);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn more(&mut self, buffer: &mut Vec<u8>) -> std::io::Result<()> {
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece)? {
            0 => Err(std::io::Error::other("the service hung up")),
            read => {
                buffer.extend_from_slice(&piece[..read]);
                Ok(())
            }
        }
    }
}

/// The path of one of many requests.
pub fn numbered(path: &str, number: usize) -> String {
    path.replace("{n}", &number.to_string())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

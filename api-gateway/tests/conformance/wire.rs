//! A client that sends exactly the bytes it is given, and takes whatever comes back.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// How long a gateway may take to say anything to a message that it need not answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take where an answer is due, on a machine that has more to do.
const DUE_ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// After an answer: how long nothing may come until nothing more is expected.
const QUIET: Duration = Duration::from_millis(400);

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// 0 when it does not begin as an answer of HTTP/1 does.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

/// The final statuses among some answers.
pub fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).filter(|status| !(100..200).contains(status)).collect()
}

/// A connection from one of this machine's own addresses, where the gateway is on this machine.
pub async fn connect_from(source: [u8; 4], address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // Another machine cannot be reached from there.
    if address.ip().is_loopback() {
        socket.bind(SocketAddr::from((source, 0))).unwrap();
    }
    socket.connect(address).await.unwrap()
}

/// Sends bytes on a connection of their own, and reads until it is closed or nothing more comes.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<Answer> {
    exchange_within(ANSWER_TIMEOUT, address, bytes).await
}

/// The same with a request to which an answer is due.
pub async fn exchange_due(address: SocketAddr, bytes: &[u8]) -> Vec<Answer> {
    exchange_within(DUE_ANSWER_TIMEOUT, address, bytes).await
}

async fn exchange_within(limit: Duration, address: SocketAddr, bytes: &[u8]) -> Vec<Answer> {
    let stream = timeout(DUE_ANSWER_TIMEOUT, TcpStream::connect(address)).await.unwrap().unwrap();
    let (mut reader, mut writer) = stream.into_split();
    // A gateway may refuse before it has read everything, so the writing may fail, and must not keep from reading.
    let writing = async { writer.write_all(bytes).await };
    let reading = async {
        let (mut read, mut wait) = (Vec::new(), limit);
        while let Ok(Ok(1..)) = timeout(wait, reader.read_buf(&mut read)).await {
            wait = QUIET;
        }
        read
    };
    let (_, read) = tokio::join!(timeout(limit, writing), reading);
    parse(&read)
}

/// The answers in what was read.
pub fn parse(mut rest: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let (answer, length) = parse_one(rest);
        rest = &rest[length..];
        answers.push(answer);
    }
    answers
}

/// The first answer and its length.
fn parse_one(bytes: &[u8]) -> (Answer, usize) {
    let unreadable = || (Answer { status: 0, headers: Vec::new(), body: bytes.to_vec() }, bytes.len());
    let Some(end) = find(bytes, b"\r\n\r\n") else { return unreadable() };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let status = head.strip_prefix("HTTP/1.").and_then(|line| line.get(2..5)).and_then(|status| status.parse().ok());
    let Some(status) = status else { return unreadable() };
    let fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    let headers = fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    let mut answer = Answer { status, headers, body: Vec::new() };
    let rest = &bytes[end + 4..];
    let (body, length) = body_of(&answer, rest);
    answer.body = body;
    (answer, end + 4 + length)
}

/// The body of an answer and its length within `rest`.
fn body_of(answer: &Answer, rest: &[u8]) -> (Vec<u8>, usize) {
    if matches!(answer.status, 100..200 | 204 | 304) {
        return (Vec::new(), 0);
    }
    if answer.header("transfer-encoding").is_some() {
        return chunks(rest);
    }
    let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(rest.len());
    let length = length.min(rest.len());
    (rest[..length].to_vec(), length)
}

fn chunks(bytes: &[u8]) -> (Vec<u8>, usize) {
    let (mut body, mut at) = (Vec::new(), 0);
    while let Some(end) = find(&bytes[at..], b"\r\n") {
        let size = std::str::from_utf8(&bytes[at..at + end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let start = at + end + 2;
        match size {
            Some(0) => return (body, (start + 2).min(bytes.len())),
            Some(size) if start + size + 2 <= bytes.len() => {
                body.extend_from_slice(&bytes[start..start + size]);
                at = start + size + 2;
            }
            _ => break,
        }
    }
    (body, bytes.len())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

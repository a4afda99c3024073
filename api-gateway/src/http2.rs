//! Identical in every service (a test compares the copies).
//!
//! HTTP/2 without TLS, for clients that know of it beforehand (RFC 9113, section 3.3), on the same port as HTTP/1.1.

use std::{io::Result, time::Duration};

use axum::http::{HeaderMap, HeaderValue, Request, Version, header};
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};

/// The method of the preface, which is reserved for it.
const PREFACE_METHOD: &[u8; 3] = b"PRI";
/// Pause before looking again at a client that has sent a byte or two.
const PEEK_INTERVAL: Duration = Duration::from_millis(5);
/// Requests in flight on one connection.
const MAX_STREAMS: u32 = 100;
/// Bytes of one response that wait for a client that does not read, and of a request for a handler that does not.
const STREAM_BUFFER: u32 = 64 * 1024;

/// Whether a client begins with HTTP/2; returns when its first bytes are there.
///
/// # Errors
/// Those of the connection.
pub async fn is_wanted(stream: &TcpStream) -> Result<bool> {
    let mut first = [0; PREFACE_METHOD.len()];
    loop {
        let length = stream.peek(&mut first).await?;
        if length == 0 || !PREFACE_METHOD.starts_with(&first[..length]) {
            return Ok(false);
        }
        if length == first.len() {
            return Ok(true);
        }
        sleep(PEEK_INTERVAL).await;
    }
}

/// How connections are served: within limits, and asked every `ping_interval` whether the client is still there.
pub fn server(max_head_bytes: usize, ping_interval: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(max_head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_BUFFER)
        .max_send_buf_size(STREAM_BUFFER as usize)
        .keep_alive_interval(ping_interval)
        .keep_alive_timeout(ping_interval);
    builder
}

/// How many requests of a connection are being answered. Clones share the number.
#[derive(Debug, Clone, Default)]
pub struct Requests(watch::Sender<usize>);

/// A request that is being answered.
pub struct ActiveRequest(Requests);

impl Requests {
    /// Counts a request until the guard is dropped.
    pub fn begin(&self) -> ActiveRequest {
        self.0.send_modify(|number| *number += 1);
        ActiveRequest(self.clone())
    }

    /// Returns when there was none for `limit`.
    pub async fn idle_for(&self, limit: Duration) {
        let mut number = self.0.subscribe();
        loop {
            // The other end is `self`, so that waiting cannot fail.
            let _ = number.wait_for(|number| *number == 0).await;
            if timeout(limit, number.wait_for(|number| *number > 0)).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.0.send_modify(|number| *number -= 1);
    }
}

/// Gives a request the form that it has in HTTP/1.1: with `Host` (section 8.3.1) and one `Cookie` (section 8.2.3).
pub fn as_http1<B>(request: &mut Request<B>) {
    if request.version() != Version::HTTP_2 {
        return;
    }
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
    join_cookies(request.headers_mut());
}

fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

//! Identical in every service (a test compares the copies).
//!
//! Closes connections whose client stalls, or moves only a few bytes at a time. hyper has no write timeout.

use std::{
    io::{Error, ErrorKind, IoSlice, Result},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

#[cfg(target_os = "linux")]
use tokio::net::TcpStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// Bytes a second at which a client does not count as stalled.
const MIN_BYTES_PER_SECOND: u32 = 1024;

/// Sets the socket options behind the timeout: small responses wait in the operating system's send buffer, where only
/// the system sees that nobody reads them. Systems other than Linux have no such options.
#[cfg(target_os = "linux")]
pub fn set_socket_timeouts(stream: &TcpStream, timeout: Duration) {
    // The default is megabytes: memory for each client that does not read, and too coarse to see a slow reader move.
    const MAX_UNSENT_BYTES: u32 = 128 * 1024;
    // The system does not see that a client is still sending. With the default timeout this makes two minutes, more
    // than the longest upload may take.
    const FACTOR: u32 = 6;
    let socket = socket2::SockRef::from(stream);
    let set = socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES);
    if let Err(error) = set.and_then(|()| socket.set_tcp_user_timeout(Some(timeout * FACTOR))) {
        tracing::debug!(%error, "the operating system refused the socket's timeouts");
    }
}

/// Runs while a peer stalls. Bytes that move give time back at [`MIN_BYTES_PER_SECOND`].
#[derive(Debug)]
pub struct StallTimer {
    timeout: Duration,
    left: Duration,
    /// Since when the peer stalls, with the timer that ends it.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl StallTimer {
    /// A timer that expires after `timeout` without progress.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, left: timeout, stalled: None }
    }

    /// To be polled while nothing moves: ready when the timer has expired.
    pub fn poll_expired(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (_, timer) = self.stalled.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(self.left))));
        timer.as_mut().poll(context)
    }

    /// Notes that so many bytes have moved.
    pub fn progress(&mut self, bytes: usize) {
        if let Some((since, _)) = self.stalled.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        self.left = (self.left + Duration::from_secs(bytes as u64) / MIN_BYTES_PER_SECOND).min(self.timeout);
    }
}

/// A connection whose writes fail with `TimedOut` when the client stalls. While nothing waits to be written, nothing
/// is limited. One task must do both the reading and the writing, as hyper's does.
#[derive(Debug)]
pub struct StallTimeout<S> {
    stream: S,
    timer: StallTimer,
}

impl<S> StallTimeout<S> {
    /// Wraps `stream`: a client must take or send 1 KiB a second on average, and may fall behind by `timeout`.
    pub fn new(stream: S, timeout: Duration) -> Self {
        Self { stream, timer: StallTimer::new(timeout) }
    }

    fn limited(&mut self, context: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => self.timer.progress(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                ready!(self.timer.poll_expired(context));
                return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client does not read its response")));
            }
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallTimeout<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        // Many clients read nothing until they have sent everything.
        if read.is_ready() {
            self.timer.progress(buffer.filled().len() - before);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallTimeout<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.limited(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.limited(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

//! Identical in every service (a test compares the copies).
//!
//! Clients that do not go on, or only byte by byte, and would hold what serves them for as long as they like. hyper has
//! no limit for those that do not take their answers.

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

/// What a client must move, in bytes a second: so many make up for a second in which it moved nothing.
const LEAST_RATE: u32 = 1024;

/// Limits what only the operating system sees: answers so small that they wait in its buffers, and clients that are gone
/// without a word. Systems other than Linux have no such settings.
#[cfg(target_os = "linux")]
pub fn limit_unread(stream: &TcpStream, limit: Duration) {
    // By default it is megabytes: memory for each client that does not read, and too much at once from one that reads
    // slowly to see that it does.
    const MOST_UNSENT_BYTES: u32 = 128 * 1024;
    // The system does not see that a client is still busy sending: with the default limit this is two minutes, more than
    // the longest load may take.
    const TIMES: u32 = 6;
    let socket = socket2::SockRef::from(stream);
    let set = socket.set_tcp_notsent_lowat(MOST_UNSENT_BYTES);
    if let Err(error) = set.and_then(|()| socket.set_tcp_user_timeout(Some(limit * TIMES))) {
        tracing::debug!(%error, "the operating system does not limit how long a client may leave its answer unread");
    }
}

/// How long a client is waited for.
#[derive(Debug)]
pub struct Patience {
    limit: Duration,
    left: Duration,
    /// Since when, while it is waited for.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Patience {
    /// At most `limit`, which bytes win back.
    pub fn new(limit: Duration) -> Self {
        Self { limit, left: limit, waiting: None }
    }

    /// Nothing moves: ready when it is enough.
    pub fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (_, timer) = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(self.left))));
        timer.as_mut().poll(context)
    }

    /// So many bytes have moved.
    pub fn moved(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        self.left = (self.left + Duration::from_secs(bytes as u64) / LEAST_RATE).min(self.limit);
    }
}

/// A connection whose client must take what is written to it. While nothing waits to be written, nothing is limited.
/// One task must do the reading and the writing, as hyper's does.
#[derive(Debug)]
pub struct Impatient<S> {
    stream: S,
    patience: Patience,
}

impl<S> Impatient<S> {
    /// Waits at most `limit` for a client that neither takes nor sends as much as 1 KiB a second.
    pub fn new(stream: S, limit: Duration) -> Self {
        Self { stream, patience: Patience::new(limit) }
    }

    fn limited(&mut self, context: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => self.patience.moved(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                ready!(self.patience.wait(context));
                return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client does not take its answer")));
            }
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        // Many clients take nothing until they have sent everything.
        if read.is_ready() {
            self.patience.moved(buffer.filled().len() - before);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
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

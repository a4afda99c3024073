//! One HTTP/1.1 connection to a service.
//!
//! hyper splits a connection into a sender of requests and a future that moves the bytes. Here the request that uses the
//! connection polls both: there is no task in between, nothing is read that nobody asked for, and when the client hangs
//! up, the connection ends with its request.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use axum::http::{Request, Response, uri::Authority};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use crate::gateway_metrics::{OpenConnection, gateway_metrics};

use super::body::RequestBody;

/// Largest response head, and most that is read ahead of a client that does not read, in bytes.
const MAX_BUFFER_BYTES: usize = 8 * 1024;
const DEFAULT_PORT: u16 = 80;

/// What moves the bytes of a connection.
pub type Driver = http1::Connection<TokioIo<TcpStream>, RequestBody>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name was not found, or nobody listens there.
    #[error("cannot connect")]
    Refused(#[source] io::Error),
    /// Nothing came back.
    #[error("connecting took too long")]
    TimedOut,
}

/// Why a request got no response.
pub struct SendError {
    /// The request, when nothing of it was written.
    pub unsent: Option<Box<Request<RequestBody>>>,
    /// Whether a part of a response came.
    pub response_began: bool,
    /// The cause.
    pub source: hyper::Error,
}

/// A connection.
pub struct Connection {
    sender: SendRequest<RequestBody>,
    /// `None` when the connection has ended.
    driver: Option<Driver>,
    idle_since: Instant,
    _open: OpenConnection,
}

impl Connection {
    /// Connects to `authority` within `limit`.
    ///
    /// # Errors
    /// [`ConnectError`] when no address of that name accepts.
    pub async fn open(authority: &Authority, limit: Duration) -> Result<Box<Self>, ConnectError> {
        let stream = timeout(limit, connect(authority)).await.map_err(|_| ConnectError::TimedOut)?;
        let stream = stream.map_err(ConnectError::Refused)?;
        // Without it, small requests wait for the service's acknowledgement. A failure only costs speed.
        let _ = stream.set_nodelay(true);
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_BUFFER_BYTES);
        let handshake = builder.handshake(TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(|error| ConnectError::Refused(io::Error::other(error)))?;
        Ok(Box::new(Self {
            sender,
            driver: Some(driver),
            idle_since: Instant::now(),
            _open: gateway_metrics().open_connection(),
        }))
    }

    /// Sends a request and waits for the head of its response. The connection carries the body that follows.
    ///
    /// # Errors
    /// [`SendError`], and with it the end of the connection.
    pub async fn send(
        mut self: Box<Self>,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Box<Self>), SendError> {
        let mut response_began = false;
        let mut response = pin!(self.sender.try_send_request(request));
        let driver = &mut self.driver;
        let response = poll_fn(|context| {
            if poll_driver(driver, context).is_ready() {
                // Dropping what is left of the driver gives back a request that was not written.
                let unread = driver.take().map(|ended| ended.into_parts().read_buf);
                response_began |= unread.is_some_and(|bytes| !bytes.is_empty());
            }
            response.as_mut().poll(context)
        })
        .await;
        match response {
            Ok(response) => Ok((response, self)),
            Err(mut error) => {
                let unsent = error.take_message().map(Box::new);
                Err(SendError { unsent, response_began, source: error.into_error() })
            }
        }
    }

    /// Moves bytes. Ready when the connection has ended.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let ended = poll_driver(&mut self.driver, context);
        if ended.is_ready() {
            self.driver = None;
        }
        ended
    }

    /// Whether the next request can be sent: the response before has been read, and the service has not closed.
    pub fn is_idle(&mut self, context: &mut Context<'_>) -> bool {
        self.poll(context).is_pending() && self.sender.is_ready()
    }

    /// The same without being woken when it changes.
    pub fn is_idle_now(&mut self) -> bool {
        self.is_idle(&mut Context::from_waker(Waker::noop()))
    }

    /// Whether the response has been read to its end already.
    pub fn has_finished(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Notes that nobody uses it from now on.
    pub fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    /// How long nobody has used it.
    pub fn idle_time(&self) -> Duration {
        self.idle_since.elapsed()
    }

    /// What moves the bytes; `None` when the connection has ended.
    pub fn into_driver(self) -> Option<Driver> {
        self.driver
    }
}

/// An error is told to the request that waits for a response, or to the reader of its body.
fn poll_driver(driver: &mut Option<Driver>, context: &mut Context<'_>) -> Poll<()> {
    driver.as_mut().map_or(Poll::Ready(()), |driver| Pin::new(driver).poll(context).map(drop))
}

/// Tries the addresses of a name one after the other.
async fn connect(authority: &Authority) -> io::Result<TcpStream> {
    let port = authority.port_u16().unwrap_or(DEFAULT_PORT);
    // An IPv6 address is in brackets.
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let mut last_error = io::Error::from(io::ErrorKind::NotFound);
    for address in lookup_host((host, port)).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

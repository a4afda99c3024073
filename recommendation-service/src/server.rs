//! Identical in every service (a test compares the copies).
//!
//! The HTTP server: an accept loop on hyper with the limits that `axum::serve` has no settings for (time for a
//! request head, size of it, time for an answer to be read, number of connections), and a shutdown that ends by a deadline.

use std::{
    convert::Infallible,
    io::{Error, ErrorKind},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Request, StatusCode, Version, header},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Handle,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use crate::{
    config::env::Env,
    connection_slots::{ConnectionSlots, Slot, usable_connections},
    drain_body::track_body,
    error::{ApiError, as_json},
    http2::{self, Requests},
    refusal_bodies::RefusalBodies,
    stall_timeout::StallTimeout,
};

/// Largest request head (request line and headers) in bytes; hyper answers 431 above it.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Number of headers from which on hyper answers 431; above 100 it would take memory from the heap for each request.
const MAX_HEADERS: usize = 100;
/// Clients that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Time for the head of the only request on a connection beyond the limit.
const OVERFLOW_HEADER_TIMEOUT: Duration = Duration::from_secs(1);
/// Time after the shutdown began for the first request of a connection that was accepted before.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(500);
/// Pause after the operating system had no file descriptor or memory left for a connection.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Where and within which limits the server listens.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// `SERVER_HOST` and `SERVER_PORT`; port 0 takes a free one.
    pub address: SocketAddr,
    /// `HEADER_READ_TIMEOUT_SECONDS`: time for a whole request head, also the longest idle time between requests.
    pub header_read_timeout: Duration,
    /// `WRITE_TIMEOUT_SECONDS`: time for which a client may leave an answer unread.
    pub write_timeout: Duration,
    /// `REQUEST_TIMEOUT_SECONDS`: time for a request to be answered.
    pub request_timeout: Duration,
    /// `SHUTDOWN_DELAY_SECONDS`: time for which connections are still accepted after SIGTERM, while `/health/ready` says 503.
    pub shutdown_delay: Duration,
    /// `SHUTDOWN_TIMEOUT_SECONDS`: time for everything in flight after that.
    pub shutdown_timeout: Duration,
    /// `SERVER_REUSE_PORT`: another process may listen on the same port, such as the one that is to take over.
    pub reuse_port: bool,
    /// `MAX_CONNECTIONS`: connections served at once, as far as the operating system allows so many open files. On one
    /// beyond them only health is answered.
    pub max_connections: usize,
    /// How many of them one client may have.
    pub max_connections_per_address: usize,
}

impl ServerConfig {
    /// Reads the settings; `host` and `port` are the defaults of this service.
    pub fn from_env(env: &mut Env, host: IpAddr, port: u16) -> Self {
        let host = env.parsed("SERVER_HOST", host, "an IP address such as 127.0.0.1 or 0.0.0.0");
        let port = env.number("SERVER_PORT", port, 0..=u16::MAX);
        let max_connections = env.number("MAX_CONNECTIONS", 10_000, 1..=1_000_000);
        Self {
            address: SocketAddr::new(host, port),
            header_read_timeout: env.seconds("HEADER_READ_TIMEOUT_SECONDS", 10),
            write_timeout: env.seconds("WRITE_TIMEOUT_SECONDS", 20),
            request_timeout: env.seconds("REQUEST_TIMEOUT_SECONDS", 30),
            shutdown_delay: Duration::from_secs(env.number("SHUTDOWN_DELAY_SECONDS", 0, 0..=3600)),
            shutdown_timeout: env.seconds("SHUTDOWN_TIMEOUT_SECONDS", 10),
            reuse_port: env.parsed("SERVER_REUSE_PORT", false, "true or false"),
            max_connections,
            max_connections_per_address: max_connections,
        }
    }
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", reason(source))]
pub struct BindError {
    address: SocketAddr,
    source: Error,
}

fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::AddrInUse => "the port is taken by another process",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::AddrNotAvailable => "this machine does not have that address",
        _ => "the operating system refused",
    }
}

/// An address that nobody else can take any more; clients are refused until [`Self::listen`].
pub struct BoundSocket {
    socket: TcpSocket,
    address: SocketAddr,
}

/// Takes `address`; with `reuse_port` others may take it too.
///
/// # Errors
/// [`BindError`] naming the address, for example when the port is taken.
pub fn bind(address: SocketAddr, reuse_port: bool) -> Result<BoundSocket, BindError> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Connections of the process before this one may still be winding down.
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(reuse_port)?;
        socket.bind(address)?;
        Ok(BoundSocket { socket, address })
    };
    bound().map_err(|source| BindError { address, source })
}

impl BoundSocket {
    /// Accepts clients from now on.
    ///
    /// # Errors
    /// [`BindError`] when another process was faster after all.
    pub fn listen(self) -> Result<TcpListener, BindError> {
        self.socket.listen(BACKLOG).map_err(|source| BindError { address: self.address, source })
    }
}

/// What answers requests, and on which runtime.
pub struct Worker<S> {
    /// The runtime that serves the connections; it must be driven by a thread of its own or be the current one.
    pub runtime: Handle,
    /// What answers.
    pub app: S,
}

/// Answers connections with `app` on this runtime; see [`serve_on`].
pub async fn serve<S>(listener: TcpListener, app: S, config: &ServerConfig, stop: CancellationToken) -> bool
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    serve_on(listener, vec![Worker { runtime: Handle::current(), app }], config, stop).await
}

/// Answers connections until `stop`, handing them to the workers in turn; then lets requests in flight end, at most
/// for the configured time. Says whether all of them did.
pub async fn serve_on<S>(
    listener: TcpListener,
    workers: Vec<Worker<S>>,
    config: &ServerConfig,
    stop: CancellationToken,
) -> bool
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (graceful, cut, connections) = (GracefulShutdown::new(), CancellationToken::new(), TaskTracker::new());
    let slots = ConnectionSlots::new(usable_connections(config.max_connections), config.max_connections_per_address);
    let mut turns = workers.iter().cycle();
    let mut serve = |stream: TcpStream, peer: SocketAddr| {
        // So many are beyond the limit already that this one cannot even be told.
        let Some(slot) = slots.take(peer.ip()) else { return };
        let worker = turns.next().expect("there is at least one worker");
        let stop = Stop { requested: stop.clone(), watcher: graceful.watcher() };
        let connection = serve_connection(stream, peer, slot, worker.app.clone(), config.clone(), stop);
        let cut = cut.clone();
        let task = async move {
            cut.run_until_cancelled(connection).await;
        };
        connections.spawn_on(task, &worker.runtime);
    };
    while let Some((stream, peer)) = stop.run_until_cancelled(accept(&listener)).await {
        serve(stream, peer);
    }
    accepted_by_the_system(listener).for_each(|(stream, peer)| serve(stream, peer));
    connections.close();
    tracing::info!(connections = connections.len(), "not accepting connections any more, finishing those in flight");
    let drained = timeout(config.shutdown_timeout, graceful.shutdown()).await.is_ok();
    if !drained {
        tracing::warn!(connections = connections.len(), "connections cut off at the deadline");
        cut.cancel();
    }
    connections.wait().await;
    drained
}

/// The connections that wait to be accepted; then the listener is closed. They would be reset with it.
fn accepted_by_the_system(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, peer) = listener.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)).ok().map(|stream| (stream, peer))
    })
}

/// Accepts one connection, whatever errors come before it.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without it, small answers wait for the client's acknowledgement. A failure only costs speed.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            // The client was gone before its turn came: nothing to do with this server.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections for the moment");
                sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// How a connection learns of the shutdown.
struct Stop {
    requested: CancellationToken,
    watcher: Watcher,
}

impl Stop {
    /// Returns when a connection that has sent nothing yet is not waited for any more.
    async fn is_over_for_the_silent(&self) {
        self.requested.cancelled().await;
        sleep(FIRST_REQUEST_GRACE).await;
    }
}

/// Answers the requests of one connection; on a shutdown the one in flight, or on its way, is the last.
async fn serve_connection<S>(stream: TcpStream, peer: SocketAddr, slot: Slot, app: S, config: ServerConfig, stop: Stop)
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // The socket must be watched by the runtime that serves it, which need not be the one that accepted it.
    let Ok(stream) = stream.into_std().and_then(TcpStream::from_std) else { return };
    #[cfg(target_os = "linux")]
    crate::stall_timeout::set_socket_timeouts(&stream, config.write_timeout);
    let is_overflow = slot.is_overflow();
    let requests = Requests::default();
    let counted = requests.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let refusal = if is_overflow && !is_about_health(request.uri().path()) {
            Some(too_many_connections(peer))
        } else if request.version() == Version::HTTP_2 && request.headers().len() > MAX_HEADERS {
            // In HTTP/1.1 hyper counts them.
            Some(as_json(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response()))
        } else {
            None
        };
        let (mut request, unread) = track_body(request);
        http2::as_http1(&mut request);
        request.extensions_mut().insert(ConnectInfo(peer));
        let active = (request.version() == Version::HTTP_2).then(|| counted.begin());
        // Called here and not when it is first polled: hyper never polls for a client that has hung up by then, and a
        // gateway logs that too. What answers is always ready.
        let answer = match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(app.clone().call(request)),
        };
        async move {
            let Ok(mut answer) = match answer {
                Ok(answer) => answer.await,
                Err(refusal) => Ok(refusal),
            };
            if is_overflow {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            unread.drain(answer.extensions()).await;
            drop(active);
            Ok::<_, Infallible>(answer)
        }
    });
    let header_read_timeout = if is_overflow { OVERFLOW_HEADER_TIMEOUT } else { config.header_read_timeout };
    let begun = tokio::select! {
        begun = timeout(header_read_timeout, http2::is_wanted(&stream)) => begun,
        () = stop.is_over_for_the_silent() => return,
    };
    let Ok(Ok(is_http2)) = begun else { return };
    let is_stopping = stop.requested.is_cancelled();
    let stream = StallTimeout::new(stream, config.write_timeout);
    // What is beyond the limit has one request, and a server that stops reads one more, which hyper would not with HTTP/2.
    let ended = if is_http2 && !is_overflow && !is_stopping {
        let (server, graceful) = (http2::server(MAX_HEAD_BYTES, config.write_timeout), GracefulShutdown::new());
        let served = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
        let shutdown = async {
            tokio::select! {
                () = stop.requested.cancelled() => {}
                // In HTTP/1.1 hyper closes it after that.
                () = requests.idle_for(header_read_timeout) => {}
            }
            graceful.shutdown().await;
        };
        tokio::select! {
            ended = served => ended,
            () = shutdown => Ok(()),
        }
    } else {
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .keep_alive(!is_stopping)
            .header_read_timeout(header_read_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_header_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS);
        let connection = server.serve_connection(TokioIo::new(RefusalBodies::new(stream, peer)), service);
        // Watched, hyper would close it without reading the request that is there.
        if is_stopping { connection.await } else { stop.watcher.watch(connection).await }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// Whether it is a probe, which is answered when nothing else can be.
fn is_about_health(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    ["/health", "/ready", "/health/live"].iter().any(|end| path.ends_with(end))
}

fn too_many_connections(peer: SocketAddr) -> Response {
    tracing::info!(client = %peer.ip(), status = 503, "refused: too many connections");
    let error = ApiError::unavailable("too many connections, try again later");
    ([(header::RETRY_AFTER, HeaderValue::from_static("1"))], error).into_response()
}

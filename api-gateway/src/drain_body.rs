//! Identical in every service (a test compares the copies).
//!
//! Drains a request body that the handler did not read. A server that answers and closes while the client still sends
//! resets the connection, and the client never sees the 4xx that says why. So the rest of the body is read and
//! discarded first, within limits.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Extensions, Request, Version, header},
};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// Most bytes that are discarded; beyond them the connection is closed.
const MAX_DRAINED_BYTES: usize = 32 * 1024 * 1024;
/// Longest time for draining.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// In the extensions of a response: most bytes that are discarded before this one, such as of a client that nobody knows.
#[derive(Debug, Clone, Copy)]
pub struct DrainLimit(pub usize);

/// The part of a request body that the application has not read.
pub struct UnreadBody(Option<Arc<Mutex<Incoming>>>);

/// Splits a request into the one for the application and a handle on what it leaves unread.
pub fn track_body(request: Request<Incoming>) -> (Request<Body>, UnreadBody) {
    // With `Expect: 100-continue` the client sends no body before the application reads it; in HTTP/2 a body can be given up
    // without its connection.
    let is_needless = request.headers().contains_key(header::EXPECT) || request.version() == Version::HTTP_2;
    if is_needless || request.body().is_end_stream() {
        return (request.map(Body::new), UnreadBody(None));
    }
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body));
    (Request::from_parts(parts, Body::new(SharedBody(body.clone()))), UnreadBody(Some(body)))
}

impl UnreadBody {
    /// Reads and discards what is left before a response with these extensions, unless the application still holds the
    /// body.
    pub async fn drain(self, response: &Extensions) {
        let Some(Ok(body)) = self.0.map(Arc::try_unwrap) else { return };
        let mut body = body.into_inner().unwrap_or_else(PoisonError::into_inner);
        let draining = async {
            let mut left = response.get().map_or(MAX_DRAINED_BYTES, |limit: &DrainLimit| limit.0);
            while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                let Some(less) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
                left = less;
            }
        };
        // The response is sent in either case.
        let _ = timeout(DRAIN_TIMEOUT, draining).await;
    }
}

/// The body as the application sees it.
struct SharedBody(Arc<Mutex<Incoming>>);

impl SharedBody {
    fn with<T>(&self, look: impl FnOnce(&mut Incoming) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpBody for SharedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.with(|body| Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| body.size_hint())
    }
}

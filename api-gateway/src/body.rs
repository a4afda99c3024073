//! Identical in every service (a test compares the copies).
//!
//! What is left of a request's body once it is answered. A server that answers and closes while the client still sends
//! makes the client's system drop the answer: the client sees a broken connection instead of the 4xx that says why. So
//! what a handler did not want is read and thrown away first, within limits.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Request, header},
};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// Most bytes that are thrown away; beyond them the connection is closed.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Longest time for it.
const LONGEST_TIME: Duration = Duration::from_secs(2);

/// What the application leaves of a body.
pub struct Rest(Option<Arc<Mutex<Incoming>>>);

/// Lends a request's body to the application.
pub fn lend(request: Request<Incoming>) -> (Request<Body>, Rest) {
    // Who asks for permission first (`Expect: 100-continue`) has not sent a body that nobody asked for.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return (request.map(Body::new), Rest(None));
    }
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body));
    (Request::from_parts(parts, Body::new(Lent(body.clone()))), Rest(Some(body)))
}

impl Rest {
    /// Reads what is left, unless the application still does so itself.
    pub async fn throw_away(self) {
        let Some(Ok(body)) = self.0.map(Arc::try_unwrap) else { return };
        let mut body = body.into_inner().unwrap_or_else(PoisonError::into_inner);
        let reading = async {
            let mut left = MOST_BYTES;
            while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                let Some(less) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
                left = less;
            }
        };
        // Whether it ended or not, the answer is sent now.
        let _ = timeout(LONGEST_TIME, reading).await;
    }
}

/// The body as the application sees it.
struct Lent(Arc<Mutex<Incoming>>);

impl Lent {
    fn with<T>(&self, look: impl FnOnce(&mut Incoming) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpBody for Lent {
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

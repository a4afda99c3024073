//! The client's body on its way to a service: streamed, limited, and watched, so that a failure is put down to the
//! client and not to the service.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use crate::{error::ApiError, stall_timeout::StallTimer};
use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Request, StatusCode, header},
};
use hyper::body::{Frame, SizeHint};

/// Longest wait for a client that sends less than 1 KiB a second. Time in which the service does not take what is there
/// is not the client's.
const LIMIT: Duration = Duration::from_secs(20);

/// What was wrong with a client's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFailure {
    /// Larger than allowed.
    #[error("request body too large")]
    TooLarge,
    /// Stalled or trickling.
    #[error("the request body did not arrive in time")]
    TooSlow,
    /// Cut off, or not what its framing said.
    #[error("the request body is broken")]
    Broken,
}

impl From<BodyFailure> for ApiError {
    fn from(failure: BodyFailure) -> Self {
        let (status, code) = match failure {
            BodyFailure::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            BodyFailure::TooSlow => (StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            BodyFailure::Broken => (StatusCode::BAD_REQUEST, "broken_body"),
        };
        ApiError::new(status, code, failure.to_string())
    }
}

/// What is known of a body on its way.
#[derive(Debug, Default)]
pub struct Progress {
    failure: OnceLock<BodyFailure>,
    waiting: AtomicBool,
}

impl Progress {
    /// What was wrong with it, once something was.
    pub fn failure(&self) -> Option<BodyFailure> {
        self.failure.get().copied()
    }

    /// Whether it is the client that is waited for.
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// A body with its limits.
pub struct ClientBody {
    inner: Body,
    left: usize,
    stall: StallTimer,
    progress: Arc<Progress>,
}

impl ClientBody {
    /// Puts the limits on a request's body, and answers where its progress will be noted; nothing to watch where there
    /// is no body.
    ///
    /// # Errors
    /// [`BodyFailure::TooLarge`] when the request says so itself.
    pub fn watch(
        request: Request<Body>,
        max_bytes: usize,
    ) -> Result<(Request<Body>, Option<Arc<Progress>>), BodyFailure> {
        if request.body().is_end_stream() {
            return Ok((request, None));
        }
        let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if declared.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > max_bytes as u64) {
            return Err(BodyFailure::TooLarge);
        }
        let progress = Arc::<Progress>::default();
        let (left, stall, noted) = (max_bytes, StallTimer::new(LIMIT), progress.clone());
        Ok((request.map(|inner| Body::new(Self { inner, left, stall, progress })), Some(noted)))
    }

    fn fail(&self, failure: BodyFailure) -> BodyFailure {
        *self.progress.failure.get_or_init(|| failure)
    }
}

impl HttpBody for ClientBody {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        let frame = Pin::new(&mut this.inner).poll_frame(context);
        this.progress.waiting.store(frame.is_pending(), Ordering::Relaxed);
        let Poll::Ready(frame) = frame else {
            ready!(this.stall.poll_expired(context));
            return Poll::Ready(Some(Err(this.fail(BodyFailure::TooSlow))));
        };
        Poll::Ready(match frame {
            None => None,
            Some(Err(_)) => Some(Err(this.fail(BodyFailure::Broken))),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                this.stall.progress(length);
                match this.left.checked_sub(length) {
                    Some(left) => {
                        this.left = left;
                        Some(Ok(frame))
                    }
                    None => Some(Err(this.fail(BodyFailure::TooLarge))),
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::{
        sync::mpsc,
        time::{Instant, sleep},
    };

    use super::*;

    struct Pieces(mpsc::UnboundedReceiver<&'static str>);

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = BodyFailure;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
            self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece.into()))))
        }
    }

    /// What feeds a watched body, the body, and where its progress is noted.
    fn watched(max_bytes: usize) -> (mpsc::UnboundedSender<&'static str>, Body, Arc<Progress>) {
        let (sender, pieces) = mpsc::unbounded_channel();
        let watched = ClientBody::watch(Request::new(Body::new(Pieces(pieces))), max_bytes);
        let (request, progress) = watched.expect("no length is declared");
        (sender, request.into_body(), progress.expect("there is a body"))
    }

    async fn next(body: &mut Body) -> Option<Bytes> {
        body.frame().await?.ok()?.into_data().ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stalls_is_given_up_after_the_limit() {
        let (sender, mut body, progress) = watched(100);
        sender.send("a").expect("the body lives");
        assert_eq!(next(&mut body).await.as_deref(), Some(&b"a"[..]));
        let started = Instant::now();
        assert_eq!(next(&mut body).await, None);
        assert_eq!((progress.failure(), started.elapsed().as_secs()), (Some(BodyFailure::TooSlow), LIMIT.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_trickles_is_given_up_about_as_soon() {
        let (sender, mut body, progress) = watched(1000);
        let trickle = async {
            while sender.send("a").is_ok() {
                sleep(Duration::from_secs(2)).await
            }
        };
        let started = Instant::now();
        let taken = async { while next(&mut body).await.is_some() {} };
        tokio::select! {
            () = trickle => panic!("the body lives"),
            () = taken => {}
        }
        assert_eq!(progress.failure(), Some(BodyFailure::TooSlow));
        assert_eq!(started.elapsed().as_secs(), LIMIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_slow_but_steady_is_waited_for() {
        let piece: &'static str = "x".repeat(2048).leak();
        let (sender, mut body, progress) = watched(1_000_000);
        let steady = async move {
            for _ in 0..100 {
                sender.send(piece).expect("the body lives");
                sleep(Duration::from_secs(2)).await;
            }
        };
        let taken = async {
            let mut length = 0;
            while let Some(bytes) = next(&mut body).await {
                length += bytes.len();
            }
            length
        };
        let ((), length) = tokio::join!(steady, taken);
        assert_eq!((length, progress.failure()), (100 * piece.len(), None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_takes_its_time_is_not_the_clients_fault() {
        let (sender, mut body, progress) = watched(1000);
        for _ in 0..15 {
            // Nothing is asked for during this time.
            sleep(LIMIT * 2).await;
            let sender = sender.clone();
            let late = async move {
                sleep(Duration::from_secs(1)).await;
                sender.send("a").expect("the body lives");
            };
            let (piece, ()) = tokio::join!(next(&mut body), late);
            assert_eq!(piece.as_deref(), Some(&b"a"[..]));
        }
        assert_eq!(progress.failure(), None);
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
        let (sender, mut body, progress) = watched(4);
        sender.send("four").expect("the body lives");
        assert!(next(&mut body).await.is_some() && progress.failure().is_none());
        sender.send("5").expect("the body lives");
        assert_eq!((next(&mut body).await, progress.failure()), (None, Some(BodyFailure::TooLarge)));
    }
}

//! The client's body on its way to a service: streamed, limited, and watched, so that a failure is put down to the
//! client and not to the service.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Request, StatusCode, header},
};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::ApiError;

/// Longest wait for one piece of a body.
const PAUSE: Duration = Duration::from_secs(10);
/// Longest wait for all pieces of a body together. Time in which the service does not take what is there is not the
/// client's.
const WHOLE: Duration = Duration::from_secs(60);

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

/// Where a failure is noted once it happens.
pub type Failure = Arc<OnceLock<BodyFailure>>;

/// A body with its limits.
pub struct ClientBody {
    inner: Body,
    left: usize,
    patience: Patience,
    failure: Failure,
}

/// How long a client is waited for.
struct Patience {
    left: Duration,
    /// Since when, while it is waited for.
    since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Patience {
    fn new() -> Self {
        Self { left: WHOLE, since: None, timer: Box::pin(sleep_until(Instant::now())) }
    }

    /// Nothing has come: ready when it is enough.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.since.is_none() {
            let now = Instant::now();
            self.since = Some(now);
            self.timer.as_mut().reset(now + PAUSE.min(self.left));
        }
        self.timer.as_mut().poll(context)
    }

    /// Something has come.
    fn stop_waiting(&mut self) {
        if let Some(since) = self.since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
    }
}

impl ClientBody {
    /// Puts the limits on a request's body, and answers where its failure will be noted; nothing to watch where there
    /// is no body.
    ///
    /// # Errors
    /// [`BodyFailure::TooLarge`] when the request says so itself.
    pub fn watch(request: Request<Body>, max_bytes: usize) -> Result<(Request<Body>, Option<Failure>), BodyFailure> {
        if request.body().is_end_stream() {
            return Ok((request, None));
        }
        let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if declared.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > max_bytes as u64) {
            return Err(BodyFailure::TooLarge);
        }
        let failure = Failure::default();
        let noted = failure.clone();
        let request =
            request.map(|inner| Body::new(Self { inner, left: max_bytes, patience: Patience::new(), failure }));
        Ok((request, Some(noted)))
    }

    fn fail(&self, failure: BodyFailure) -> BodyFailure {
        *self.failure.get_or_init(|| failure)
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
        let frame = match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                ready!(this.patience.wait(context));
                return Poll::Ready(Some(Err(this.fail(BodyFailure::TooSlow))));
            }
        };
        this.patience.stop_waiting();
        Poll::Ready(match frame {
            None => None,
            Some(Err(_)) => Some(Err(this.fail(BodyFailure::Broken))),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
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
    use tokio::{sync::mpsc, time::sleep};

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

    /// What feeds a watched body, the body, and where its failure is noted.
    fn watched(max_bytes: usize) -> (mpsc::UnboundedSender<&'static str>, Body, Failure) {
        let (sender, pieces) = mpsc::unbounded_channel();
        let watched = ClientBody::watch(Request::new(Body::new(Pieces(pieces))), max_bytes);
        let (request, failure) = watched.expect("no length is declared");
        (sender, request.into_body(), failure.expect("there is a body"))
    }

    async fn next(body: &mut Body) -> Option<Bytes> {
        body.frame().await?.ok()?.into_data().ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stalls_is_given_up_after_the_longest_pause() {
        let (sender, mut body, failure) = watched(100);
        sender.send("a").expect("the body lives");
        assert_eq!(next(&mut body).await.as_deref(), Some(&b"a"[..]));
        let started = Instant::now();
        assert_eq!(next(&mut body).await, None);
        assert_eq!((failure.get(), started.elapsed().as_secs()), (Some(&BodyFailure::TooSlow), PAUSE.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_trickles_is_given_up_after_the_longest_time() {
        let (sender, mut body, failure) = watched(1000);
        tokio::spawn(async move {
            while sender.send("a").is_ok() {
                sleep(Duration::from_secs(2)).await
            }
        });
        let started = Instant::now();
        while next(&mut body).await.is_some() {}
        assert_eq!(failure.get(), Some(&BodyFailure::TooSlow));
        assert_eq!(started.elapsed().as_secs(), WHOLE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_takes_its_time_is_not_the_clients_fault() {
        let (sender, mut body, failure) = watched(1000);
        for _ in 0..20 {
            // Nothing is asked for during this time.
            sleep(PAUSE * 2).await;
            let sender = sender.clone();
            let late = async move {
                sleep(Duration::from_secs(1)).await;
                sender.send("a").expect("the body lives");
            };
            let (piece, ()) = tokio::join!(next(&mut body), late);
            assert_eq!(piece.as_deref(), Some(&b"a"[..]));
        }
        assert_eq!(failure.get(), None);
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
        let (sender, mut body, failure) = watched(4);
        sender.send("four").expect("the body lives");
        assert!(next(&mut body).await.is_some() && failure.get().is_none());
        sender.send("5").expect("the body lives");
        assert_eq!((next(&mut body).await, failure.get()), (None, Some(&BodyFailure::TooLarge)));
    }
}

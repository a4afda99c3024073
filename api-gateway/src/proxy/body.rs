//! The client's body on its way to a service: streamed and limited. Its errors are recorded, so that they become the
//! client's 4xx and not the service's 502.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use crate::{error::ApiError, error_code::ErrorCode, stall_timeout::StallTimer};
use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Request, StatusCode, header},
};
use hyper::body::{Frame, SizeHint};

/// Longest wait for a client that sends less than 1 KiB a second. Time in which the service does not read does not count.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// What was wrong with a client's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestBodyError {
    /// Larger than allowed.
    #[error("request body too large")]
    TooLarge,
    /// Stalled or trickling.
    #[error("the request body did not arrive in time")]
    TimedOut,
    /// Cut off, or not what its framing said.
    #[error("the request body is broken")]
    Malformed,
}

impl From<RequestBodyError> for ApiError {
    fn from(error: RequestBodyError) -> Self {
        let (status, code) = match error {
            RequestBodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BodyTooLarge),
            RequestBodyError::TimedOut => (StatusCode::REQUEST_TIMEOUT, ErrorCode::RequestTimeout),
            RequestBodyError::Malformed => (StatusCode::BAD_REQUEST, ErrorCode::BrokenBody),
        };
        ApiError::new(status, code, error.to_string())
    }
}

/// The state of a body that is being sent.
#[derive(Debug, Default)]
pub struct BodyState {
    error: OnceLock<RequestBodyError>,
    pending: AtomicBool,
    dropped: AtomicBool,
}

impl BodyState {
    /// What was wrong with it, if anything.
    pub fn error(&self) -> Option<RequestBodyError> {
        self.error.get().copied()
    }

    /// Whether the client is waited for.
    pub fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed)
    }

    /// Whether there may be more to send.
    pub fn is_sending(&self) -> bool {
        !self.dropped.load(Ordering::Relaxed)
    }
}

/// The body of a request to a service.
#[derive(Default)]
pub struct RequestBody(Option<LimitedBody>);

/// A body with limits on size and speed.
struct LimitedBody {
    inner: Body,
    left: usize,
    stall: StallTimer,
    state: Arc<BodyState>,
}

impl RequestBody {
    /// Puts the limits on a request's body, and returns its state; `None` for a request without a body.
    ///
    /// # Errors
    /// [`RequestBodyError::TooLarge`] when `Content-Length` says so.
    pub fn wrap(
        request: Request<Body>,
        max_bytes: usize,
    ) -> Result<(Request<Self>, Option<Arc<BodyState>>), RequestBodyError> {
        if request.body().is_end_stream() {
            return Ok((request.map(|_| Self::default()), None));
        }
        let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if declared.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > max_bytes as u64) {
            return Err(RequestBodyError::TooLarge);
        }
        let state = Arc::<BodyState>::default();
        let (left, stall, shared) = (max_bytes, StallTimer::new(STALL_TIMEOUT), state.clone());
        Ok((request.map(|inner| Self(Some(LimitedBody { inner, left, stall, state }))), Some(shared)))
    }
}

impl Drop for LimitedBody {
    fn drop(&mut self) {
        self.state.dropped.store(true, Ordering::Relaxed);
    }
}

impl LimitedBody {
    fn fail(&self, error: RequestBodyError) -> RequestBodyError {
        *self.state.error.get_or_init(|| error)
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let Some(this) = &mut self.0 else { return Poll::Ready(None) };
        let frame = Pin::new(&mut this.inner).poll_frame(context);
        this.state.pending.store(frame.is_pending(), Ordering::Relaxed);
        let Poll::Ready(frame) = frame else {
            ready!(this.stall.poll_expired(context));
            return Poll::Ready(Some(Err(this.fail(RequestBodyError::TimedOut))));
        };
        Poll::Ready(match frame {
            None => None,
            Some(Err(_)) => Some(Err(this.fail(RequestBodyError::Malformed))),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                this.stall.progress(length);
                match this.left.checked_sub(length) {
                    Some(left) => {
                        this.left = left;
                        Some(Ok(frame))
                    }
                    None => Some(Err(this.fail(RequestBodyError::TooLarge))),
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|body| body.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |body| body.inner.size_hint())
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

    struct ChannelBody(mpsc::UnboundedReceiver<&'static str>);

    impl HttpBody for ChannelBody {
        type Data = Bytes;
        type Error = RequestBodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
            self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk.into()))))
        }
    }

    /// The sender of a limited body, the body, and its state.
    fn limited(max_bytes: usize) -> (mpsc::UnboundedSender<&'static str>, RequestBody, Arc<BodyState>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let wrapped = RequestBody::wrap(Request::new(Body::new(ChannelBody(receiver))), max_bytes);
        let (request, state) = wrapped.expect("no length is declared");
        (sender, request.into_body(), state.expect("there is a body"))
    }

    async fn next(body: &mut RequestBody) -> Option<Bytes> {
        body.frame().await?.ok()?.into_data().ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stalls_is_timed_out() {
        let (sender, mut body, state) = limited(100);
        sender.send("a").expect("the body lives");
        assert_eq!(next(&mut body).await.as_deref(), Some(&b"a"[..]));
        let started = Instant::now();
        assert_eq!(next(&mut body).await, None);
        assert_eq!(
            (state.error(), started.elapsed().as_secs()),
            (Some(RequestBodyError::TimedOut), STALL_TIMEOUT.as_secs())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_trickles_is_timed_out() {
        let (sender, mut body, state) = limited(1000);
        let trickle = async {
            while sender.send("a").is_ok() {
                sleep(Duration::from_secs(2)).await
            }
        };
        let started = Instant::now();
        let reading = async { while next(&mut body).await.is_some() {} };
        tokio::select! {
            () = trickle => panic!("the body lives"),
            () = reading => {}
        }
        assert_eq!(state.error(), Some(RequestBodyError::TimedOut));
        assert_eq!(started.elapsed().as_secs(), STALL_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_slow_but_steady_is_not_timed_out() {
        let chunk: &'static str = "x".repeat(2048).leak();
        let (sender, mut body, state) = limited(1_000_000);
        let steady = async move {
            for _ in 0..100 {
                sender.send(chunk).expect("the body lives");
                sleep(Duration::from_secs(2)).await;
            }
        };
        let reading = async {
            let mut length = 0;
            while let Some(bytes) = next(&mut body).await {
                length += bytes.len();
            }
            length
        };
        let ((), length) = tokio::join!(steady, reading);
        assert_eq!((length, state.error()), (100 * chunk.len(), None));
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_the_service_does_not_read_does_not_count() {
        let (sender, mut body, state) = limited(1000);
        for _ in 0..15 {
            // Nothing reads the body meanwhile.
            sleep(STALL_TIMEOUT * 2).await;
            let sender = sender.clone();
            let late = async move {
                sleep(Duration::from_secs(1)).await;
                sender.send("a").expect("the body lives");
            };
            let (chunk, ()) = tokio::join!(next(&mut body), late);
            assert_eq!(chunk.as_deref(), Some(&b"a"[..]));
        }
        assert_eq!(state.error(), None);
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
        let (sender, mut body, state) = limited(4);
        sender.send("four").expect("the body lives");
        assert!(next(&mut body).await.is_some() && state.error().is_none());
        sender.send("5").expect("the body lives");
        assert_eq!((next(&mut body).await, state.error()), (None, Some(RequestBodyError::TooLarge)));
    }
}

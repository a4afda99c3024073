//! The body of a service's response on its way to the client. It moves the bytes of its connection itself, so that nothing
//! is read ahead of a client that does not read.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Bytes, HttpBody},
};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::lifecycle::Lifecycle;

use super::{connection::Connection, pool::Pool, service::Load};

/// Largest piece of a body that is passed on at once. The server queues 16 pieces for a client that does not read.
const MAX_PIECE_BYTES: usize = 2048;

/// Where the rest of a body comes from.
enum Source {
    /// All of it has been read, or the connection has ended.
    Nothing,
    /// The connection, which returns to the pool at the end.
    Connection(Box<Connection>, Arc<Pool>),
    /// A task: the request body is still being sent, and that must go on even when the client does not read. It ends with
    /// this body at the latest.
    Task(#[expect(dead_code, reason = "ends the task when it is dropped")] DropGuard),
}

/// The longest pause in a body passed.
#[derive(Debug, thiserror::Error)]
#[error("the service stopped sending its response")]
struct Stalled;

/// The body of a response.
pub struct ResponseBody {
    incoming: Incoming,
    /// What was read and has not been passed on.
    rest: Bytes,
    /// What ends the body.
    error: Option<hyper::Error>,
    source: Source,
    max_pause: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    #[expect(dead_code, reason = "ends when it is dropped")]
    load: Load,
}

impl ResponseBody {
    /// The body `incoming` of a response on `connection`. `is_sending`: whether the request body has not ended yet.
    pub fn new(
        incoming: Incoming,
        connection: Box<Connection>,
        pool: &Arc<Pool>,
        is_sending: bool,
        max_pause: Duration,
        load: Load,
        lifecycle: &Lifecycle,
    ) -> Self {
        let source = if connection.has_finished() {
            pool.put(connection);
            Source::Nothing
        } else if is_sending {
            match connection.into_driver() {
                Some(driver) => {
                    let dropped = CancellationToken::new();
                    let guard = dropped.clone().drop_guard();
                    lifecycle.spawn(async move {
                        // The error is told to the reader of the body.
                        let _ = dropped.run_until_cancelled(driver).await;
                    });
                    Source::Task(guard)
                }
                None => Source::Nothing,
            }
        } else {
            Source::Connection(connection, pool.clone())
        };
        Self { incoming, rest: Bytes::new(), error: None, source, max_pause, pause: None, load }
    }

    fn poll_incoming(&mut self, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        loop {
            let frame = Pin::new(&mut self.incoming).poll_frame(context);
            let Source::Connection(connection, _) = &mut self.source else { return frame };
            if frame.is_ready() {
                return frame;
            }
            match connection.poll(context) {
                Poll::Ready(()) => self.source = Source::Nothing,
                // It may have read a frame nevertheless.
                Poll::Pending => return Pin::new(&mut self.incoming).poll_frame(context),
            }
        }
    }

    /// The next piece of what was read.
    fn next_piece(&mut self) -> Bytes {
        let length = self.rest.len().min(MAX_PIECE_BYTES);
        self.rest.split_to(length)
    }

    /// Gives the connection back when the body has been read to its end.
    fn release(&mut self, context: &mut Context<'_>) {
        if let Source::Connection(mut connection, pool) = std::mem::replace(&mut self.source, Source::Nothing)
            && connection.is_idle(context)
        {
            pool.put(connection);
        }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(this.next_piece()))));
        }
        if let Some(error) = this.error.take() {
            return Poll::Ready(Some(Err(error.into())));
        }
        let Poll::Ready(frame) = this.poll_incoming(context) else {
            let max_pause = this.max_pause;
            ready!(this.pause.get_or_insert_with(|| Box::pin(sleep(max_pause))).as_mut().poll(context));
            return Poll::Ready(Some(Err(Stalled.into())));
        };
        this.pause = None;
        if frame.is_none() || this.incoming.is_end_stream() {
            this.release(context);
        }
        Poll::Ready(match frame {
            None => None,
            Some(Err(error)) => {
                // An error ends the client's connection at once: what came before it must be written first.
                this.error = Some(error);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    this.rest = data;
                    Some(Ok(Frame::data(this.next_piece())))
                }
                Err(trailers) => Some(Ok(trailers)),
            },
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (read, unread) = (self.rest.len() as u64, self.incoming.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(unread.lower() + read);
        if let Some(upper) = unread.upper() {
            hint.set_upper(upper + read);
        }
        hint
    }
}

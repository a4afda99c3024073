//! Identical in every service (a test compares the copies).
//!
//! hyper refuses by itself what it cannot read as a request: with a status, without a body, and without a word to anyone.
//! This puts the JSON form of errors into such a response, and a line into the log.

use std::{
    io::{IoSlice, Result},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{error::ApiError, error_code::ErrorCode};

/// What hyper writes when it refuses, but for the status before it and the date after it. Other responses have more headers.
const NO_BODY: &[u8] = b"connection: close\r\ncontent-length: 0\r\ndate: ";
/// The length of the rest: a date of RFC 9110, section 5.6.7, and the end of the head.
const DATE_AND_END: usize = 33;

/// A connection whose refusals by hyper have a body.
#[derive(Debug)]
pub struct RefusalBodies<S> {
    stream: S,
    peer: SocketAddr,
    /// The response that is written instead of hyper's, and how much of it is.
    replacement: Option<(Vec<u8>, usize)>,
}

impl<S> RefusalBodies<S> {
    /// Wraps the connection of `peer`.
    pub fn new(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, replacement: None }
    }
}

/// The status and text for a head that hyper has written by itself; `None` for any other bytes.
fn refusal(bytes: &[u8]) -> Option<(StatusCode, &'static str)> {
    let rest = bytes.strip_prefix(b"HTTP/1.1 ")?;
    let (status, rest) = rest.split_at_checked(3)?;
    let headers = &rest[rest.windows(2).position(|pair| pair == b"\r\n")? + 2..];
    if headers.strip_prefix(NO_BODY)?.len() != DATE_AND_END || !headers.ends_with(b"\r\n\r\n") {
        return None;
    }
    match status {
        b"400" => Some((StatusCode::BAD_REQUEST, "this is not a valid HTTP/1.1 request")),
        b"414" => Some((StatusCode::URI_TOO_LONG, "the request target is too long")),
        b"431" => Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too many or too large")),
        _ => None,
    }
}

/// The whole response for a refusal that hyper began with `head`.
fn with_body(head: &[u8], status: StatusCode, text: &'static str) -> Vec<u8> {
    let error = ApiError::new(status, ErrorCode::RequestFailed, text);
    let body = serde_json::to_vec(&error.into_body()).expect("strings always serialise");
    let date = &head[head.len() - DATE_AND_END..];
    let reason = status.canonical_reason().unwrap_or_default();
    let length = body.len();
    let mut response = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\ndate: ",
        status.as_u16()
    )
    .into_bytes();
    response.extend_from_slice(date);
    response.extend_from_slice(&body);
    response
}

impl<S: AsyncRead + Unpin> AsyncRead for RefusalBodies<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RefusalBodies<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = &mut *self;
        if this.replacement.is_none() {
            let Some((status, text)) = refusal(bytes) else {
                return Pin::new(&mut this.stream).poll_write(context, bytes);
            };
            let (client, status_code) = (this.peer.ip(), status.as_u16());
            tracing::info!(%client, status = status_code, reason = text, "refused: malformed request");
            this.replacement = Some((with_body(bytes, status, text), 0));
        }
        if let Some((response, written)) = &mut this.replacement {
            while *written < response.len() {
                *written += ready!(Pin::new(&mut this.stream).poll_write(context, &response[*written..]))?;
            }
            this.replacement = None;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        // A refusal is one piece.
        match pieces {
            [piece] => self.poll_write(context, piece),
            _ => Pin::new(&mut self.stream).poll_write_vectored(context, pieces),
        }
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

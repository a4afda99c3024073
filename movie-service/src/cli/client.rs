//! The gateway's API, as far as a sync needs it. Every wait has a limit.

use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
};
use serde::Deserialize;
use tokio::time::timeout;
use tokio_util::{
    codec::{FramedRead, LinesCodec},
    io::StreamReader,
};

use crate::models::job::Job;

use super::arguments::Arguments;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Names of genres may have to be fetched from TMDB before a job starts.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence of a stream of events; a comment comes every ten seconds.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(40);
/// Longest line of a stream in bytes: a job with its hundred errors.
const MAX_LINE_BYTES: usize = 1024 * 1024;
/// When an answer of 429 does not say for how long, in seconds.
const DEFAULT_RETRY_AFTER: u64 = 10;

/// Why a call failed, for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("nothing answers at {0}; is the platform running?")]
    NotRunning(String),
    #[error("{0} did not answer in time")]
    TimedOut(String),
    #[error("the answer of {0} was cut off or is not what was expected")]
    NotUnderstood(String),
    #[error("not allowed (HTTP 401): {0}; pass a token with --token")]
    Unauthorized(String),
    #[error("{0} (HTTP 409)")]
    Conflict(String),
    #[error("too many requests (HTTP 429); try again in {0} s")]
    TooManyRequests(u64),
    #[error("{message} (HTTP {status})")]
    Status { status: u16, message: String },
}

/// A client of the gateway.
pub(super) struct Api {
    http: Client,
    url: String,
    token: String,
}

#[derive(Deserialize)]
struct ErrorText {
    error: String,
}

impl Api {
    pub(super) fn new(arguments: &Arguments) -> reqwest::Result<Self> {
        // Fails only when it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = Client::builder().connect_timeout(CONNECT_TIMEOUT);
        if arguments.url.starts_with("http://") {
            // A machine without CA certificates can do without them.
            http = http.tls_certs_only([]).no_proxy();
        }
        Ok(Self { http: http.build()?, url: arguments.url.clone(), token: arguments.token.clone() })
    }

    /// Starts a job.
    pub(super) async fn start(&self, parameters: &[(&str, String)]) -> Result<Job, CallError> {
        let request = self.request(Method::POST, "?mode=async").query(parameters).timeout(START_TIMEOUT);
        self.job(request).await
    }

    pub(super) async fn find(&self, id: i32) -> Result<Job, CallError> {
        self.job(self.request(Method::GET, &format!("/jobs/{id}")).timeout(REQUEST_TIMEOUT)).await
    }

    pub(super) async fn cancel(&self, id: i32) -> Result<Job, CallError> {
        self.job(self.request(Method::DELETE, &format!("/jobs/{id}")).timeout(REQUEST_TIMEOUT)).await
    }

    /// The states of a job as server-sent events. The stream ends when the connection breaks or falls silent.
    pub(super) async fn events(&self, id: i32) -> Result<impl Stream<Item = Job>, CallError> {
        let request = self.request(Method::GET, &format!("/jobs/{id}/events")).header(ACCEPT, "text/event-stream");
        let sent = timeout(REQUEST_TIMEOUT, request.send()).await;
        let response = self.checked(sent.map_err(|_| CallError::TimedOut(self.url.clone()))?).await?;
        let content_type = response.headers().get(CONTENT_TYPE).map(|value| value.as_bytes());
        if !content_type.is_some_and(|value| value.starts_with(b"text/event-stream")) {
            return Err(CallError::NotUnderstood(self.url.clone()));
        }
        let reader = StreamReader::new(response.bytes_stream().map_err(std::io::Error::other));
        let lines = FramedRead::new(reader, LinesCodec::new_with_max_length(MAX_LINE_BYTES));
        let lines = stream::unfold(Box::pin(lines), |mut lines| async {
            let line = timeout(SILENCE_TIMEOUT, lines.next()).await.ok()??.ok()?;
            Some((line, lines))
        });
        // Each event's data is one line.
        Ok(Box::pin(
            lines.filter_map(|line| async move { serde_json::from_str(line.strip_prefix("data:")?.trim()).ok() }),
        ))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1/admin/sync{path}", self.url)).bearer_auth(&self.token)
    }

    async fn job(&self, request: RequestBuilder) -> Result<Job, CallError> {
        let response = self.checked(request.send().await).await?;
        response.json().await.map_err(|_| CallError::NotUnderstood(self.url.clone()))
    }

    async fn checked(&self, sent: reqwest::Result<Response>) -> Result<Response, CallError> {
        let response = match sent {
            Ok(response) => response,
            Err(error) if error.is_timeout() && !error.is_connect() => {
                return Err(CallError::TimedOut(self.url.clone()));
            }
            Err(_) => return Err(CallError::NotRunning(self.url.clone())),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = timeout(REQUEST_TIMEOUT, response.json::<ErrorText>()).await;
        let message = body.ok().and_then(Result::ok).map_or_else(|| "no reason given".to_owned(), |body| body.error);
        Err(match status {
            StatusCode::UNAUTHORIZED => CallError::Unauthorized(message),
            StatusCode::CONFLICT => CallError::Conflict(message),
            StatusCode::TOO_MANY_REQUESTS => CallError::TooManyRequests(retry_after.unwrap_or(DEFAULT_RETRY_AFTER)),
            _ => CallError::Status { status: status.as_u16(), message },
        })
    }
}

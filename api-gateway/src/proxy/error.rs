//! Why a service gave no response, and which 502 or 504 the client gets for it.

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{error::ApiError, error_code::ErrorCode};

use super::{Upstream, body::RequestBodyError, breaker::CircuitOpen, connection::ConnectError, service::Refusal};

/// Why a request got no response from its service.
#[derive(Debug)]
pub enum Failure {
    /// It was not sent.
    Refused(Refusal),
    /// There was no response.
    Upstream(UpstreamError),
    /// The client's body.
    Body(RequestBodyError),
}

impl From<RequestBodyError> for Failure {
    fn from(error: RequestBodyError) -> Self {
        Self::Body(error)
    }
}

/// An extension of a response that did not come from the service: the `error.type` of the call, for metrics.
#[derive(Debug, Clone, Copy)]
pub struct Unanswered(pub &'static str);

impl Failure {
    /// Its kind.
    pub fn kind(&self) -> Unanswered {
        Unanswered(match self {
            Self::Refused(_) => "not_sent",
            Self::Upstream(UpstreamError::TimedOut) => "timeout",
            Self::Upstream(_) => "no_response",
            Self::Body(_) => "request_body",
        })
    }

    /// Whether the service is to blame.
    pub fn is_of_the_service(&self) -> bool {
        !matches!(self, Self::Body(_))
    }

    /// Logs it with the id of the request, and makes what the client gets.
    pub fn into_response(self, upstream: Upstream, method: &Method, request_id: Option<HeaderValue>) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(upstream),
            Self::Upstream(error) => {
                let request_id = request_id.as_ref().and_then(|id| id.to_str().ok());
                tracing::warn!(upstream = upstream.name(), ?error, request_id, "no response from a service");
                error.into_api_error(upstream, method).into_response()
            }
            Self::Body(error) => ApiError::from(error).into_response(),
        }
    }
}

/// Why a service gave no response.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// There was no connection: the service never saw the request.
    #[error("the request was not sent")]
    NotConnected(#[from] ConnectError),
    /// The connection ended before anything was written to it.
    #[error("the request was not sent")]
    NotSent(#[source] hyper::Error),
    /// The connection ended before a whole response head, or what came was not HTTP/1.1.
    #[error("the response broke off")]
    Broken(#[source] hyper::Error),
    /// A 101 that nobody asked for: `Upgrade` is not forwarded.
    #[error("the service switched protocols")]
    SwitchedProtocols,
    /// Nothing came in time.
    #[error("the service did not respond in time")]
    TimedOut,
}

impl UpstreamError {
    /// Whether it speaks against the service; the body of a client may break off, too.
    pub fn is_of_the_service(&self) -> bool {
        !matches!(self, Self::Broken(error) | Self::NotSent(error) if error.is_user())
    }

    /// Whether it was found out at once: then there is nothing to be gained by not asking the service.
    pub fn is_cheap(&self) -> bool {
        matches!(self, Self::NotConnected(ConnectError::Refused(_)))
    }

    /// Leaves the client with the service's name. A write that may have been carried out is
    /// `unconfirmed`, so that nobody repeats it blindly.
    fn into_api_error(self, upstream: Upstream, method: &Method) -> ApiError {
        let upstream = upstream.name();
        let is_write = !method.is_safe();
        let (status, code, text) = match self {
            Self::NotConnected(ConnectError::TimedOut) => (
                StatusCode::GATEWAY_TIMEOUT,
                ErrorCode::ServiceTimeout,
                format!("service did not answer in time: {upstream}"),
            ),
            Self::NotConnected(ConnectError::Refused(_)) | Self::NotSent(_) => {
                (StatusCode::BAD_GATEWAY, ErrorCode::ServiceUnavailable, format!("service unavailable: {upstream}"))
            }
            Self::Broken(_) | Self::SwitchedProtocols if is_write => (
                StatusCode::BAD_GATEWAY,
                ErrorCode::Unconfirmed,
                format!("service unavailable: {upstream} broke off its response; the change may have been made"),
            ),
            Self::Broken(_) | Self::SwitchedProtocols => {
                (StatusCode::BAD_GATEWAY, ErrorCode::InvalidResponse, format!("service unavailable: {upstream}"))
            }
            Self::TimedOut if is_write => (
                StatusCode::GATEWAY_TIMEOUT,
                ErrorCode::Unconfirmed,
                format!("service did not answer in time: {upstream}; the change may have been made"),
            ),
            Self::TimedOut => (
                StatusCode::GATEWAY_TIMEOUT,
                ErrorCode::ServiceTimeout,
                format!("service did not answer in time: {upstream}"),
            ),
        };
        ApiError::new(status, code, text)
    }
}

impl Refusal {
    /// 503 with `Retry-After`.
    fn into_response(self, upstream: Upstream) -> Response {
        let upstream = upstream.name();
        let (code, text, seconds) = match self {
            Self::CircuitOpen(CircuitOpen(pause)) => (
                ErrorCode::CircuitOpen,
                format!("service unavailable: {upstream} fails again and again"),
                pause.as_secs() + 1,
            ),
            Self::Overloaded => (ErrorCode::Overloaded, format!("service unavailable: {upstream} is overloaded"), 1),
        };
        let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, text);
        ([(header::RETRY_AFTER, seconds.to_string())], error).into_response()
    }
}

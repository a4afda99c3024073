//! Identical in every service (a test compares the copies).
//!
//! What a client is told when a request fails: a status, a stable code and a fixed text. Causes stay in the log.

use std::borrow::Cow;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error_code::ErrorCode;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong, for people.
    pub error: Cow<'static, str>,
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// The field or parameter to blame, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
}

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: ErrorCode,
    message: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
}

impl ApiError {
    /// Any status; `message` is shown as it is.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), field: None }
    }

    /// 400.
    pub fn bad_request(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404.
    pub fn not_found(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 409.
    pub fn conflict(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 503.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
    }

    /// Names the field or parameter to blame.
    #[must_use]
    pub fn field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The status that is sent.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body that is sent.
    pub fn into_body(self) -> ErrorBody {
        ErrorBody { error: self.message, code: self.code, field: self.field }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status;
        let json = serde_json::to_string(&self.into_body()).expect("strings always serialise");
        (status, [(header::CONTENT_TYPE, "application/json")], json).into_response()
    }
}

/// The answer to a path that does not exist.
pub async fn route_not_found() -> ApiError {
    ApiError::not_found(ErrorCode::NotFound, "Not Found")
}

/// Turns the errors that libraries answer (empty or plain text) into the JSON form; headers such as `Allow` stay.
pub fn as_json(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let content_type = response.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    if !is_error || content_type.is_some_and(|value| value.starts_with(b"application/json")) {
        return response;
    }
    let (code, message) = match status {
        StatusCode::NOT_FOUND => (ErrorCode::NotFound, "Not Found"),
        StatusCode::METHOD_NOT_ALLOWED => (ErrorCode::MethodNotAllowed, "Method Not Allowed"),
        StatusCode::REQUEST_TIMEOUT => (ErrorCode::RequestTimeout, "the request body did not arrive in time"),
        StatusCode::PAYLOAD_TOO_LARGE => (ErrorCode::BodyTooLarge, "request body too large"),
        // Only the decompression of request bodies answers it.
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (ErrorCode::UnsupportedEncoding, "unsupported Content-Encoding, expected gzip, br or zstd")
        }
        StatusCode::INTERNAL_SERVER_ERROR => (ErrorCode::Internal, "internal server error"),
        StatusCode::GATEWAY_TIMEOUT => (ErrorCode::Timeout, "the request took too long"),
        _ => (ErrorCode::RequestFailed, status.canonical_reason().unwrap_or("request failed")),
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    let mut shaped = ApiError::new(status, code, message).into_response();
    for (name, value) in &parts.headers {
        shaped.headers_mut().append(name, value.clone());
    }
    shaped
}

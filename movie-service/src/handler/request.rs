//! What writes read from a request.

use std::{error::Error, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use tokio::time::timeout;
use tower_http::timeout::TimeoutError;

use crate::{
    error::ApiError,
    models::{
        movie::{MovieId, MovieIdError},
        precondition::Precondition,
    },
};

/// Longest time for a whole body, however steadily it trickles.
const BODY_DEADLINE: Duration = Duration::from_secs(20);

/// The `{id}` of the path: `None` for a number that no movie can have, since other things are judged before.
pub(super) struct MoviePath(pub(super) Option<MovieId>);

impl<S: Send + Sync> FromRequestParts<S> for MoviePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // An id that does not even decode is not a number either.
        let path = Path::<String>::from_request_parts(parts, state).await;
        match path.map_err(|_| MovieIdError::NotANumber).and_then(|Path(id)| MovieId::parse(&id)) {
            Ok(id) => Ok(Self(Some(id))),
            Err(MovieIdError::NoSuchMovie) => Ok(Self(None)),
            Err(error) => Err(error.into()),
        }
    }
}

/// `If-Match`.
pub(super) struct IfMatch(pub(super) Precondition);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let lines = parts.headers.get_all(header::IF_MATCH).iter();
        // A line that is not text names nothing, but it is a condition.
        let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
        Ok(Self(Precondition::new(lines)))
    }
}

/// The whole body, whatever the content type says.
pub(super) struct WholeBody(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for WholeBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        read(request.into_body()).await.map(Self)
    }
}

async fn read(body: Body) -> Result<Bytes, ApiError> {
    match timeout(BODY_DEADLINE, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if caused_by::<LengthLimitError>(&error) => Err(too_large()),
        Ok(Err(error)) if is_too_slow(&error) => Err(too_slow()),
        Ok(Err(_)) => Err(invalid_body()),
        Err(_) => Err(too_slow()),
    }
}

/// The length that the headers say, when they do.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether a body could not be read because of a long pause.
pub(super) fn is_too_slow(error: &axum::Error) -> bool {
    caused_by::<TimeoutError>(error)
}

/// 400.
pub(super) fn invalid_body() -> ApiError {
    ApiError::bad_request("invalid_request_body", "invalid request body")
}

/// 408.
pub(super) fn too_slow() -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the request body did not arrive in time")
}

/// 413.
pub(super) fn too_large() -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "request body too large")
}

fn caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(|error| error.is::<E>())
}

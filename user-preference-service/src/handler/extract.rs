//! What is read from a request, and what is answered when that fails.

use std::{error::Error, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, request::Parts},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use tokio::time::timeout;
use tower_http::timeout::TimeoutError;

use super::json::{self, Fields};
use crate::{
    error::ApiError,
    models::{id::PathId, interaction::ListLimit},
};

/// Longest time for a whole body, however steadily it trickles.
const BODY_DEADLINE: Duration = Duration::from_secs(20);

/// The `{id}` of the path.
pub struct UserPath(pub PathId);

impl<S: Send + Sync> FromRequestParts<S> for UserPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let invalid = || ApiError::bad_request("invalid_user_id", "invalid user ID").field("id");
        // Rejected when what the percent signs stand for is not UTF-8.
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| invalid())?;
        PathId::parse(&text).map(Self).map_err(|_| invalid())
    }
}

/// The `limit` of the query; the first one counts, and nothing is an error.
pub struct LimitQuery(pub ListLimit);

impl<S: Send + Sync> FromRequestParts<S> for LimitQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let limit = pairs.ok().and_then(|Query(pairs)| pairs.into_iter().find(|(name, _)| name == "limit"));
        Ok(Self(limit.map_or(ListLimit::DEFAULT, |(_, text)| ListLimit::parse(&text))))
    }
}

/// A JSON object, whatever the content type says.
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: Fields> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request.into_body()).await?;
        json::parse(&bytes).map(Self).map_err(|_| invalid_body())
    }
}

async fn read(body: Body) -> Result<Bytes, ApiError> {
    let too_slow = || {
        let text = "the request body did not arrive in time";
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", text)
    };
    match timeout(BODY_DEADLINE, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if caused_by::<LengthLimitError>(&error) => {
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "request body too large"))
        }
        Ok(Err(error)) if caused_by::<TimeoutError>(&error) => Err(too_slow()),
        Ok(Err(_)) => Err(invalid_body()),
        Err(_) => Err(too_slow()),
    }
}

fn invalid_body() -> ApiError {
    ApiError::bad_request("invalid_request_body", "invalid request body")
}

fn caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(|error| error.is::<E>())
}

//! What writes read from the path and the headers.

use axum::{
    extract::{FromRequestParts, Path},
    http::{HeaderMap, header, request::Parts},
};
use utoipa::IntoParams;

use crate::{
    error::ApiError,
    models::movie::{Movie, MovieId, MovieIdError},
    service::movies::json,
};

use super::{
    conditional::{etag, is_named},
    views::MovieDetail,
};

/// The `{id}` of the path: `None` for a number that no movie can have, since other things are validated before.
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

/// The condition of a change, for the specification.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub(super) struct Precondition {
    /// Only if the movie still has one of these tags
    #[param(rename = "If-Match", value_type = String, required = false)]
    if_match: Option<String>,
}

/// `If-Match` (RFC 9110, section 13.1.1): a change that is made only to what its author has seen.
pub(super) struct IfMatch(Vec<String>);

impl IfMatch {
    /// Whether a movie may be changed; without the header any may. Only a strong tag names it.
    pub(super) fn allows(&self, movie: &Movie) -> bool {
        let tag = || etag(&json::<_, MovieDetail>(movie.clone()));
        self.0.is_empty() || is_named(&tag(), self.0.iter().map(String::as_str), false)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let lines = parts.headers.get_all(header::IF_MATCH).iter();
        // A line that is not text names nothing, but it is a condition.
        Ok(Self(lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect()))
    }
}

/// The length that the headers say, when they do.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

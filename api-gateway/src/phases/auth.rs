//! Authentication: who sends a request, as their Bearer token says, and whether they may.

use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    auth::{AuthError, Authenticator, Identity, is_permitted},
    drain_body::DrainLimit,
    error::ApiError,
    error_code::ErrorCode,
};

/// Most bytes of the body that are read before a refusal: anybody could make the gateway read.
pub const MAX_DRAINED_BYTES: usize = 64 * 1024;

/// What a client without a token is asked for (RFC 6750, section 3).
const CHALLENGE: &str = r#"Bearer realm="movie-discovery-platform""#;
const INVALID_TOKEN: &str = r#"Bearer realm="movie-discovery-platform", error="invalid_token""#;
const INSUFFICIENT_SCOPE: &str = r#"Bearer realm="movie-discovery-platform", error="insufficient_scope""#;

/// A request that is not authenticated, or not permitted.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    error: ApiError,
    /// `WWW-Authenticate`, when another token would help.
    challenge: Option<&'static str>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.error.into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response.extensions_mut().insert(DrainLimit(MAX_DRAINED_BYTES));
        response
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let invalid = |message| unauthorized(ErrorCode::InvalidToken, message, INVALID_TOKEN);
        match error {
            AuthError::InvalidToken => invalid("invalid bearer token"),
            AuthError::ExpiredToken => invalid("expired bearer token"),
            AuthError::NoKeys => {
                Self { error: ApiError::unavailable("tokens cannot be verified for the moment"), challenge: None }
            }
        }
    }
}

/// Who sent a request; nobody in mock mode.
///
/// # Errors
/// 401, or 503 while there is nothing to verify tokens with.
pub async fn authenticate(authenticator: &Authenticator, headers: &HeaderMap) -> Result<Option<Identity>, Refusal> {
    Ok(authenticator.verify(bearer_token(headers)?).await?)
}

/// Passes on who sent a request when they may send it to a canonical path.
///
/// # Errors
/// 403.
pub fn authorize(identity: Option<Identity>, method: &Method, path: &str) -> Result<Option<Identity>, Refusal> {
    if identity.as_ref().is_none_or(|identity| is_permitted(identity, method, path)) {
        return Ok(identity);
    }
    let error = ApiError::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, "forbidden");
    Err(Refusal { error, challenge: Some(INSUFFICIENT_SCOPE) })
}

/// The Bearer token of a request (RFC 6750, section 2.1).
///
/// # Errors
/// 401 with the texts of the contract. The server removes trailing blanks (RFC 9110, section 5.5), so an empty token
/// arrives as `Bearer` alone, and an empty header counts as none.
fn bearer_token(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value.as_bytes().trim_ascii(),
        (None, _) => b"",
        (Some(_), Some(_)) => return Err(invalid_format()),
    };
    if value.is_empty() {
        let message = "missing Authorization header";
        return Err(unauthorized(ErrorCode::MissingAuthorization, message, CHALLENGE));
    }
    let token = match value.strip_prefix(b"Bearer") {
        Some([b' ', token @ ..]) => token,
        Some([]) => &[],
        _ => return Err(invalid_format()),
    };
    if token.iter().all(u8::is_ascii_whitespace) {
        return Err(unauthorized(ErrorCode::EmptyBearerToken, "empty bearer token", CHALLENGE));
    }
    Ok(token)
}

fn invalid_format() -> Refusal {
    let message = "invalid Authorization header format, expected 'Bearer <token>'";
    unauthorized(ErrorCode::InvalidAuthorization, message, CHALLENGE)
}

fn unauthorized(code: ErrorCode, message: &'static str, challenge: &'static str) -> Refusal {
    Refusal { error: ApiError::new(StatusCode::UNAUTHORIZED, code, message), challenge: Some(challenge) }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn message(values: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).expect("a legal value"));
        }
        let response = authenticate(&Authenticator::Mock, &headers).await.err()?.into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], CHALLENGE);
        let body = axum::body::to_bytes(response.into_body(), 1000).await.expect("a small body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        body["error"].as_str().map(ToOwned::to_owned)
    }

    #[tokio::test]
    async fn the_three_refusals_have_the_texts_of_the_contract() {
        for values in [&[][..], &[&b""[..]], &[&b" \t"[..]]] {
            assert_eq!(message(values).await.as_deref(), Some("missing Authorization header"), "{values:?}");
        }
        for empty in [&b"Bearer"[..], b"Bearer ", b"Bearer   ", b"Bearer \t"] {
            assert_eq!(message(&[empty]).await.as_deref(), Some("empty bearer token"), "{empty:?}");
        }
        let invalid = Some("invalid Authorization header format, expected 'Bearer <token>'");
        for value in [&b"x"[..], b"Basic x", b"bearer x", b"BearerX", b"Bearer\tx", b"Token Bearer x", b"\xff"] {
            assert_eq!(message(&[value]).await.as_deref(), invalid, "{value:?}");
        }
        assert_eq!(message(&[b"Bearer a", b"Bearer b"]).await.as_deref(), invalid);
    }

    #[tokio::test]
    async fn in_mock_mode_any_other_bearer_token_is_accepted() {
        for value in [&b"Bearer x"[..], b"Bearer dev-token", b"Bearer a b", b"Bearer \xe9"] {
            assert_eq!(message(&[value]).await, None, "{value:?}");
        }
    }
}

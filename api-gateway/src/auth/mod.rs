//! Who a caller is (`AUTH_MODE`), and what they may do.

pub mod api_key;
mod config;
mod crypto;
pub mod jwks;
pub mod jwt;
mod permission;

use std::sync::Arc;

use axum::http::HeaderValue;

use crate::lifecycle::Lifecycle;

use self::{
    api_key::{ApiKeyError, ApiKeys},
    jwks::KeySetError,
    jwt::JwtVerifier,
};

pub use self::{config::AuthConfig, permission::is_permitted};

/// Longest subject in bytes, as OpenID Connect has it.
const MAX_SUBJECT_BYTES: usize = 255;

/// Who a token was issued to. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Identity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    subject: String,
    scopes: Vec<String>,
}

impl Identity {
    /// `None` when the subject is empty, too long, or not printable ASCII, or a scope is not.
    pub fn new(subject: &str, scopes: Vec<String>) -> Option<Self> {
        let is_printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_subject = (1..=MAX_SUBJECT_BYTES).contains(&subject.len()) && is_printable(subject);
        let scopes: Vec<_> = scopes.into_iter().filter(|scope| !scope.is_empty()).collect();
        let are_scopes = scopes.iter().all(|scope| is_printable(scope));
        (is_subject && are_scopes).then(|| Self(Arc::new(Inner { subject: subject.to_owned(), scopes })))
    }

    /// The user's id, or the name of a machine.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Whether the caller was granted `scope`.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scopes.iter().any(|granted| granted == scope)
    }

    /// The values of `X-User-Id` and `X-User-Scope`.
    pub fn header_values(&self) -> (HeaderValue, HeaderValue) {
        let value = |text: &str| HeaderValue::from_str(text).expect("subject and scopes are printable ASCII");
        (value(&self.0.subject), value(&self.0.scopes.join(" ")))
    }
}

/// Why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Forged, malformed, or not for this platform.
    #[error("the token is not valid")]
    InvalidToken,
    /// It was valid until its `exp`.
    #[error("the token has expired")]
    ExpiredToken,
    /// The issuer's keys could not be loaded yet.
    #[error("there is no key to verify tokens with")]
    NoKeys,
}

/// Why authentication cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// `JWT_JWKS_FILE` or the client for `JWT_JWKS_URL`.
    #[error("tokens cannot be verified")]
    KeySet(#[from] KeySetError),
    /// `API_KEY_FILE`.
    #[error("API keys cannot be verified")]
    ApiKey(#[from] ApiKeyError),
}

/// Verifies Bearer tokens. Clones share its keys.
#[derive(Clone)]
pub enum Authenticator {
    /// Any token will do.
    Mock,
    /// JSON Web Tokens.
    Jwt(Arc<JwtVerifier>),
    /// API keys.
    ApiKey(Arc<ApiKeys>),
}

impl Authenticator {
    /// Loads what `config` names.
    ///
    /// # Errors
    /// [`AuthSetupError`] when a file cannot be used.
    pub async fn new(config: &AuthConfig, lifecycle: &Lifecycle) -> Result<Self, AuthSetupError> {
        match config {
            AuthConfig::Mock => {
                tracing::warn!("AUTH_MODE is mock: any Bearer token is accepted, and nobody's data are protected");
                Ok(Self::Mock)
            }
            AuthConfig::Jwt(config) => Ok(Self::Jwt(Arc::new(JwtVerifier::new(config, lifecycle).await?))),
            AuthConfig::ApiKey(path) => Ok(Self::ApiKey(ApiKeys::load(path, lifecycle)?)),
        }
    }

    /// Who `token` was issued to; nobody in mock mode.
    ///
    /// # Errors
    /// [`AuthError`] when it is not accepted.
    pub async fn verify(&self, token: &[u8]) -> Result<Option<Identity>, AuthError> {
        match self {
            Self::Mock => Ok(None),
            Self::Jwt(verifier) => verifier.verify(token).await.map(Some),
            Self::ApiKey(keys) => keys.verify(token).map(Some),
        }
    }
}

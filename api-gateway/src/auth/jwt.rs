//! JSON Web Tokens (RFC 7519) as RFC 8725 wants them checked: the algorithm belongs to the key and not to the token,
//! issuer, audience and times are verified.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::lifecycle::Lifecycle;

use super::{
    AuthError, Identity, crypto,
    jwks::{KeySet, KeySetError, KeySource},
};

/// How tokens are verified.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// `JWT_SECRET`, `JWT_JWKS_URL` or `JWT_JWKS_FILE`.
    pub keys: JwtKeys,
    /// `JWT_ISSUER`: the only `iss` that is accepted.
    pub issuer: String,
    /// `JWT_AUDIENCE`: what `aud` must contain.
    pub audience: String,
    /// `JWT_LEEWAY_SECONDS`: how far clocks may differ.
    pub leeway: Duration,
    /// `JWT_JWKS_REFRESH_SECONDS`: time between two fetches of the keys.
    pub refresh: Duration,
}

/// What signatures are verified with.
#[derive(Debug, Clone)]
pub enum JwtKeys {
    /// HS256 with this secret.
    Secret(SecretString),
    /// RS256, ES256 or EdDSA with these public keys.
    Public(KeySource),
}

/// Verifies tokens.
pub struct JwtVerifier {
    keys: Keys,
    /// One for each algorithm.
    validations: Vec<Validation>,
}

enum Keys {
    Secret(DecodingKey),
    Public(KeySet),
}

/// The claims that matter here.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    scope: Scope,
}

/// RFC 8693, section 4.2, or a list as some issuers write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scope {
    Text(String),
    List(Vec<String>),
}

impl Default for Scope {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl JwtVerifier {
    /// Loads the keys.
    ///
    /// # Errors
    /// [`KeySetError`] when they cannot be used.
    pub async fn new(config: &JwtConfig, lifecycle: &Lifecycle) -> Result<Self, KeySetError> {
        crypto::install();
        let keys = match &config.keys {
            JwtKeys::Secret(secret) => {
                let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
                Keys::Secret(key.expect("the settings refuse an empty secret"))
            }
            JwtKeys::Public(source) => Keys::Public(KeySet::load(source.clone(), config.refresh, lifecycle).await?),
        };
        let algorithms = match keys {
            Keys::Secret(_) => &[Algorithm::HS256][..],
            Keys::Public(_) => &[Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
        };
        let validations = algorithms.iter().map(|algorithm| validation(*algorithm, config)).collect();
        Ok(Self { keys, validations })
    }

    /// Who a token was issued to.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`], [`AuthError::ExpiredToken`], or [`AuthError::NoKeys`] when no key was loaded yet.
    pub async fn verify(&self, token: &[u8]) -> Result<Identity, AuthError> {
        let header = decode_header(token).map_err(|_| AuthError::InvalidToken)?;
        let decoded = match &self.keys {
            Keys::Secret(key) => self.decode(token, key, Algorithm::HS256),
            Keys::Public(keys) => match keys.find(header.alg, header.kid.as_deref()).await {
                Some(key) => self.decode(token, &key.decoding, key.algorithm),
                None if keys.is_empty() => Err(AuthError::NoKeys),
                None => Err(AuthError::InvalidToken),
            },
        };
        let Claims { sub, scope } = decoded?;
        let scopes = match scope {
            Scope::Text(text) => text.split(' ').map(ToOwned::to_owned).collect(),
            Scope::List(scopes) => scopes,
        };
        Identity::new(&sub, scopes).ok_or(AuthError::InvalidToken)
    }

    fn decode(&self, token: &[u8], key: &DecodingKey, algorithm: Algorithm) -> Result<Claims, AuthError> {
        let validation = self.validations.iter().find(|validation| validation.algorithms == [algorithm]);
        let validation = validation.ok_or(AuthError::InvalidToken)?;
        let decoded = decode::<Claims>(token, key, validation).map(|token| token.claims);
        decoded.map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => AuthError::ExpiredToken,
            _ => AuthError::InvalidToken,
        })
    }
}

fn validation(algorithm: Algorithm, config: &JwtConfig) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = config.leeway.as_secs();
    validation.validate_nbf = true;
    validation.set_issuer(&[&config.issuer]);
    validation.set_audience(&[&config.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

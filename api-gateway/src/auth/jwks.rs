//! The public keys of an issuer: a JWK Set (RFC 7517) from a URL or a file, cached and fetched anew.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use reqwest::{Client, redirect::Policy};
use serde::Deserialize;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::lifecycle::Lifecycle;

/// Shortest time between two fetches that unknown keys cause: anybody can send a token with one.
const MIN_FETCH_INTERVAL: Duration = Duration::from_secs(30);
/// Longest time for a fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest key set in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Where a key set is.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// `JWT_JWKS_URL`.
    Url(String),
    /// `JWT_JWKS_FILE`.
    File(PathBuf),
}

/// Why there is no key set.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// The client cannot be made.
    #[error("TLS cannot be set up")]
    Setup(#[source] reqwest::Error),
    /// The server did not answer, or with an error.
    #[error("the key set cannot be fetched")]
    Fetch(#[source] reqwest::Error),
    /// The file cannot be read.
    #[error("the key set cannot be read")]
    Read(#[source] std::io::Error),
    /// It is larger than [`MAX_BYTES`].
    #[error("the key set is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// It is no key set.
    #[error("this is no JWK Set")]
    Malformed(#[source] serde_json::Error),
    /// None of its keys can be used.
    #[error("the key set has no key for RS256, ES256 or EdDSA signatures")]
    NoKeys,
}

/// A public key with the only algorithm it may be used with.
#[derive(Debug)]
pub struct Key {
    id: Option<String>,
    /// RS256, ES256 or EdDSA.
    pub algorithm: Algorithm,
    /// The key itself.
    pub decoding: DecodingKey,
}

/// The cached key set. Clones share it.
#[derive(Clone)]
pub struct KeySet(Arc<Inner>);

struct Inner {
    source: KeySource,
    http: Client,
    keys: RwLock<Arc<[Arc<Key>]>>,
    /// When an unknown key caused a fetch; locked during one, so that there is one at a time.
    fetched_at: Mutex<Option<Instant>>,
    lifecycle: Lifecycle,
}

impl KeySet {
    /// Loads the keys, and again every `refresh`. A server that does not answer yet is asked again later.
    ///
    /// # Errors
    /// [`KeySetError`] when a file cannot be used, or no client can be made.
    pub async fn load(source: KeySource, refresh: Duration, lifecycle: &Lifecycle) -> Result<Self, KeySetError> {
        // Fails only when it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().timeout(FETCH_TIMEOUT).redirect(Policy::none()).build();
        let http = http.map_err(|error| KeySetError::Setup(error.without_url()))?;
        let is_file = matches!(source, KeySource::File(_));
        let inner = Inner {
            source,
            http,
            keys: RwLock::new([].into()),
            fetched_at: Mutex::default(),
            lifecycle: lifecycle.clone(),
        };
        let set = Self(Arc::new(inner));
        match set.0.fetch().await {
            Err(error) if is_file => return Err(error),
            fetched => log_failure(fetched),
        }
        lifecycle.spawn(set.clone().refresh_every(refresh));
        Ok(set)
    }

    /// Whether no key could be loaded yet.
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    /// The key that a token names. Without a name it must be the only one for the algorithm. An unknown key makes the
    /// set be fetched anew, at most once in 30 seconds.
    pub async fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Option<Arc<Key>> {
        if let Some(key) = find(&self.keys(), algorithm, id) {
            return Some(key);
        }
        let inner = self.0.clone();
        // A client that hangs up must not end a fetch that others wait for.
        self.0.lifecycle.run_to_completion(async move { inner.fetch_for_unknown_key().await }).await;
        find(&self.keys(), algorithm, id)
    }

    fn keys(&self) -> Arc<[Arc<Key>]> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keys that the issuer has withdrawn are forgotten at the next turn.
    async fn refresh_every(self, refresh: Duration) {
        let refreshing = async {
            loop {
                sleep(refresh).await;
                log_failure(self.0.fetch().await);
            }
        };
        self.0.lifecycle.stop_token().run_until_cancelled(refreshing).await;
    }
}

impl Inner {
    async fn fetch_for_unknown_key(&self) {
        let mut fetched_at = self.fetched_at.lock().await;
        if fetched_at.is_none_or(|at| at.elapsed() >= MIN_FETCH_INTERVAL) {
            *fetched_at = Some(Instant::now());
            log_failure(self.fetch().await);
        }
    }

    /// Replaces the keys; those of before stay when it fails.
    async fn fetch(&self) -> Result<(), KeySetError> {
        let json = match &self.source {
            KeySource::Url(url) => self.download(url).await?,
            KeySource::File(path) => tokio::fs::read(path).await.map_err(KeySetError::Read)?,
        };
        let keys = parse(&json)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    async fn download(&self, url: &str) -> Result<Vec<u8>, KeySetError> {
        let response = self.http.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(|error| KeySetError::Fetch(error.without_url()))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| KeySetError::Fetch(error.without_url()))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(KeySetError::TooLarge);
            }
        }
        Ok(body)
    }
}

fn log_failure(fetched: Result<(), KeySetError>) {
    if let Err(error) = fetched {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, "going on with the keys of before");
    }
}

fn find(keys: &[Arc<Key>], algorithm: Algorithm, id: Option<&str>) -> Option<Arc<Key>> {
    let mut fitting = keys.iter().filter(|key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id));
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Some(key.clone()),
        _ => None,
    }
}

/// The usable keys of a set. Keys of other kinds may be among them (RFC 7517, section 5).
fn parse(json: &[u8]) -> Result<Arc<[Arc<Key>]>, KeySetError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_slice(json).map_err(KeySetError::Malformed)?;
    let keys: Arc<[_]> = set.keys.into_iter().filter_map(usable).map(Arc::new).collect();
    if keys.is_empty() { Err(KeySetError::NoKeys) } else { Ok(keys) }
}

fn usable(key: serde_json::Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    // A secret (`oct`) in a set that is public would be known to everybody.
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    let common = &jwk.common;
    let is_for_it = common.key_algorithm.is_none_or(|given| Algorithm::try_from(given).is_ok_and(|it| it == algorithm));
    let is_for_signatures = common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !is_for_it || !is_for_signatures {
        return None;
    }
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some(Key { id: jwk.common.key_id, algorithm, decoding })
}

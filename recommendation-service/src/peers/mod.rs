//! The services that this one asks over HTTP, directly and not through the gateway.

pub mod catalogue_reader;
pub mod circuit_breaker;
pub mod feedback_feed;
pub mod movie_service;
pub mod profile;
pub mod trace_headers;
pub mod user_preference_service;
pub mod user_revisions;

use std::time::{Duration, Instant};

use backon::{ConstantBuilder, Retryable};
use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};

use crate::{config::env::Env, metrics::metrics};

/// As metrics and logs name the peers.
const MOVIE_SERVICE: &str = "movie-service";
const USER_PREFERENCE_SERVICE: &str = "user-preference-service";

/// Idle connections are dropped before the peer closes them, which it does after 10 seconds.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// One more try at once: a connection that broke may have been an idle one that the peer was just closing.
const RETRY: ConstantBuilder = ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(1);

/// Where the peers are, and how long they may take.
#[derive(Debug, Clone)]
pub struct PeersConfig {
    /// `MOVIE_SERVICE_URL`.
    pub movie_service_url: String,
    /// `USER_PREFERENCE_SERVICE_URL`.
    pub user_preference_service_url: String,
    /// `PEER_TIMEOUT_MS`: longest wait for a connection and for the head of an answer.
    pub timeout: Duration,
    /// `PROFILE_TIMEOUT_MS`: longest wait for what user-preference-service knows of a user; then a list is a general one.
    pub profile_timeout: Duration,
}

impl PeersConfig {
    /// Reads the settings.
    pub fn from_env(env: &mut Env) -> Self {
        Self {
            movie_service_url: env.base_url("MOVIE_SERVICE_URL", "http://localhost:8081"),
            user_preference_service_url: env.base_url("USER_PREFERENCE_SERVICE_URL", "http://localhost:8082"),
            timeout: env.millis("PEER_TIMEOUT_MS", 2000),
            profile_timeout: env.millis("PROFILE_TIMEOUT_MS", 300),
        }
    }

    /// A client for both peers.
    ///
    /// # Errors
    /// When an address is `https` and the machine has no certificates to trust.
    pub fn client(&self) -> reqwest::Result<Client> {
        // A second call keeps the first provider, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(self.timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .redirect(Policy::none())
            // Peers are neighbours: a proxy of the environment is not meant for them.
            .no_proxy();
        let encrypted = [&self.movie_service_url, &self.user_preference_service_url];
        if encrypted.iter().any(|url| url.starts_with("https://")) {
            return client.build();
        }
        // Without TLS the machine's certificates need not be loaded, or exist.
        client.tls_certs_only([]).build()
    }
}

/// Why a peer gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// No connection, or it broke.
    #[error("no connection")]
    Transport(#[source] reqwest::Error),
    /// No answer, or not all of it, in time.
    #[error("no answer in time")]
    TimedOut,
    /// A status that does not belong here.
    #[error("status {0}")]
    Status(u16),
    /// Something else than what was agreed.
    #[error("malformed answer: {0}")]
    Malformed(String),
}

impl PeerError {
    fn malformed(reason: impl ToString) -> Self {
        Self::Malformed(reason.to_string())
    }
}

impl From<reqwest::Error> for PeerError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::TimedOut } else { Self::Transport(error.without_url()) }
    }
}

/// Sends a request to the service `peer` and waits for the head of its response; metrics have how long that took.
async fn send(peer: &'static str, request: RequestBuilder) -> reqwest::Result<Response> {
    let (client, request) = request.build_split();
    let request = request?;
    let mut call = Call { peer, method: request.method().clone(), started: Instant::now(), outcome: Err("timeout") };
    let response = client.execute(request).await;
    call.outcome = match &response {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) if error.is_timeout() => Err("timeout"),
        Err(_) => Err("no_response"),
    };
    response
}

/// A request that is under way. Recorded when it is dropped, which its callers do when its time is over.
struct Call {
    peer: &'static str,
    method: Method,
    started: Instant,
    outcome: Result<u16, &'static str>,
}

impl Drop for Call {
    fn drop(&mut self) {
        metrics().record_client_request(self.peer, &self.method, self.outcome, self.started.elapsed());
    }
}

/// Makes a request, once more at once when its connection broke.
async fn retry_broken_connection<T, F: Future<Output = Result<T, PeerError>>>(
    request: impl FnMut() -> F,
) -> Result<T, PeerError> {
    request.retry(RETRY).when(|error| matches!(error, PeerError::Transport(_))).await
}

/// The whole body of a response.
async fn read_limited(mut response: Response, max_bytes: usize) -> Result<Bytes, PeerError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_bytes {
            return Err(PeerError::malformed("the response is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

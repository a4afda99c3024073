//! The services that this one asks over HTTP, directly and not through the gateway.

pub mod catalogue_reader;
pub mod circuit_breaker;
pub mod movie_service;
pub mod profile;
pub mod trace_headers;
pub mod user_preference_service;

use std::time::Duration;

use reqwest::{Client, redirect::Policy};

use crate::config::env::Env;

/// Idle connections are dropped before the peer closes them, which it does after 10 seconds.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the peers are, and how long they may take.
#[derive(Debug, Clone)]
pub struct PeersConfig {
    /// `MOVIE_SERVICE_URL`.
    pub movie_service_url: String,
    /// `USER_PREFERENCE_SERVICE_URL`.
    pub user_preference_service_url: String,
    /// `PEER_TIMEOUT_MS`: longest wait for a connection, for the head of an answer, and for a whole profile.
    pub timeout: Duration,
}

impl PeersConfig {
    /// Reads the settings.
    pub fn from_env(env: &mut Env) -> Self {
        Self {
            movie_service_url: env.base_url("MOVIE_SERVICE_URL", "http://localhost:8081"),
            user_preference_service_url: env.base_url("USER_PREFERENCE_SERVICE_URL", "http://localhost:8082"),
            timeout: env.millis("PEER_TIMEOUT_MS", 2000),
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

//! What user-preference-service knows about a user.

use std::{error::Error, sync::Arc, time::Duration};

use backon::{ConstantBuilder, Retryable};
use bytes::Bytes;
use reqwest::{Client, Response, StatusCode};
use tokio::time::timeout;
use tracing::Instrument;

use super::{
    PeerError, PeersConfig, circuit_breaker::CircuitBreaker, profile::ProfileBody, trace_headers::TraceHeaders,
};
use crate::{lifecycle::Lifecycle, models::user_id::UserId};

/// Largest profile in bytes: more than a million seen movies.
const MAX_PROFILE_BYTES: usize = 16 * 1024 * 1024;
/// One more try at once: a connection that broke may have been an idle one that the peer was just closing.
const RETRY: ConstantBuilder = ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(1);

/// What came of asking for a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileResponse {
    /// The profile as it was sent; not parsed yet.
    Found(ProfileBody),
    /// There is no such user.
    NoSuchUser,
    /// user-preference-service gave no usable answer.
    Unavailable,
}

/// The user-preference-service. Clones share the connections and the circuit breaker.
#[derive(Debug, Clone)]
pub struct UserPreferenceService(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    base_url: String,
    timeout: Duration,
    breaker: CircuitBreaker,
    lifecycle: Lifecycle,
}

impl UserPreferenceService {
    /// Nothing is sent before the first request.
    pub fn new(client: Client, config: &PeersConfig, lifecycle: Lifecycle) -> Self {
        let base_url = format!("{}/internal/v1/users", config.user_preference_service_url);
        let breaker = CircuitBreaker::new("user-preference-service");
        Self(Arc::new(Inner { client, base_url, timeout: config.timeout, breaker, lifecycle }))
    }

    /// Asks for the profile of `user`, at most for the time limit. While the service is known to be down, a short probe
    /// that requests share decides whether it is asked.
    pub async fn profile(&self, user: UserId, trace: &TraceHeaders) -> ProfileResponse {
        let breaker = &self.0.breaker;
        let start_probe = |guard| {
            let (this, trace) = (self.clone(), trace.clone());
            let probe = async move {
                let _guard = guard;
                this.probe(user, &trace).await;
            };
            self.0.lifecycle.spawn(probe.in_current_span());
        };
        if !breaker.allows_request(start_probe).await {
            return ProfileResponse::Unavailable;
        }
        match self.fetch(user, trace).await {
            Ok(response) => {
                breaker.record_success();
                response
            }
            Err(error) => {
                tracing::warn!(%error, cause = error.source(), %user, "no profile from user-preference-service");
                breaker.record_failure();
                ProfileResponse::Unavailable
            }
        }
    }

    /// Closes the breaker when the service answers; ends with the process.
    async fn probe(&self, user: UserId, trace: &TraceHeaders) {
        let stop = self.0.lifecycle.stop_token();
        match stop.run_until_cancelled(self.fetch(user, trace)).await {
            Some(Ok(_)) => self.0.breaker.record_success(),
            Some(Err(error)) => tracing::debug!(%error, "user-preference-service is still down"),
            None => {}
        }
    }

    async fn fetch(&self, user: UserId, trace: &TraceHeaders) -> Result<ProfileResponse, PeerError> {
        let attempt = || self.fetch_once(user, trace);
        let fetching = attempt.retry(RETRY).when(|error| matches!(error, PeerError::Transport(_)));
        timeout(self.0.timeout, fetching).await.unwrap_or(Err(PeerError::TimedOut))
    }

    async fn fetch_once(&self, user: UserId, trace: &TraceHeaders) -> Result<ProfileResponse, PeerError> {
        let url = format!("{}/{user}/profile", self.0.base_url);
        let response = self.0.client.get(url).headers(trace.to_map()).send().await?;
        match response.status() {
            StatusCode::OK => Ok(ProfileResponse::Found(ProfileBody::new(read_limited(response).await?))),
            StatusCode::NOT_FOUND => Ok(ProfileResponse::NoSuchUser),
            status => Err(PeerError::Status(status.as_u16())),
        }
    }
}

async fn read_limited(mut response: Response) -> Result<Bytes, PeerError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_PROFILE_BYTES {
            return Err(PeerError::malformed("the profile is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

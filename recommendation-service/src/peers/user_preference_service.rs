//! What user-preference-service knows about a user.

use std::{error::Error, sync::Arc, time::Duration};

use reqwest::{Client, StatusCode};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::{
    PeerError, PeersConfig, USER_PREFERENCE_SERVICE,
    circuit_breaker::CircuitBreaker,
    profile::ProfileBody,
    read_limited, retry_broken_connection, send,
    trace_headers::TraceHeaders,
    user_revisions::{RevisionResponse, UserRevisions},
};
use crate::{lifecycle::Lifecycle, models::user_id::UserId};

/// Largest profile in bytes: more than a million seen movies.
const MAX_PROFILE_BYTES: usize = 16 * 1024 * 1024;

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
    revisions: UserRevisions,
    lifecycle: Lifecycle,
}

impl UserPreferenceService {
    /// Nothing is sent before the first request.
    pub fn new(client: Client, config: &PeersConfig, lifecycle: Lifecycle) -> Self {
        let base_url = format!("{}/internal/v1/users", config.user_preference_service_url);
        let breaker = CircuitBreaker::new(USER_PREFERENCE_SERVICE);
        let revisions = UserRevisions::new(client.clone(), config);
        Self(Arc::new(Inner { client, base_url, timeout: config.profile_timeout, breaker, revisions, lifecycle }))
    }

    /// When a request that begins now must go on without the user's profile.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.0.timeout
    }

    /// Asks for the revision of what is known about `user`, in one batch with those of other requests.
    pub async fn revision(&self, user: UserId, trace: &TraceHeaders, deadline: Instant) -> RevisionResponse {
        if !self.allows_request(user, trace).await {
            return RevisionResponse::Unavailable;
        }
        let (response, needs_sender) = self.0.revisions.enqueue(user);
        if needs_sender {
            let this = self.clone();
            self.0.lifecycle.spawn(async move {
                this.0.revisions.send_all(|result| this.report(result, "revisions")).await;
            });
        }
        match timeout_at(deadline, response).await {
            Ok(Ok(response)) => response,
            // The batch's own time limit tells the circuit breaker.
            Ok(Err(_)) | Err(_) => RevisionResponse::Unavailable,
        }
    }

    /// Asks for the profile of `user`.
    pub async fn profile(&self, user: UserId, trace: &TraceHeaders, deadline: Instant) -> ProfileResponse {
        if !self.allows_request(user, trace).await {
            return ProfileResponse::Unavailable;
        }
        match self.fetch(user, trace, deadline).await {
            Ok(response) => {
                self.report(Ok(()), "profile");
                response
            }
            Err(error) => {
                self.report(Err(&error), "profile");
                ProfileResponse::Unavailable
            }
        }
    }

    /// Whether the service is to be asked. While it is known to be down, a short probe that requests share decides.
    async fn allows_request(&self, user: UserId, trace: &TraceHeaders) -> bool {
        let start_probe = |guard| {
            let (this, trace) = (self.clone(), trace.clone());
            let probe = async move {
                let _guard = guard;
                this.probe(user, &trace).await;
            };
            self.0.lifecycle.spawn(probe.in_current_span());
        };
        self.0.breaker.allows_request(start_probe).await
    }

    /// Tells the circuit breaker how a request for `what` went.
    fn report(&self, result: Result<(), &PeerError>, what: &str) {
        match result {
            Ok(()) => self.0.breaker.record_success(),
            Err(error) => {
                tracing::warn!(%error, cause = error.source(), what, "no answer from user-preference-service");
                self.0.breaker.record_failure();
            }
        }
    }

    /// Closes the breaker when the service answers; ends with the process.
    async fn probe(&self, user: UserId, trace: &TraceHeaders) {
        let stop = self.0.lifecycle.stop_token();
        match stop.run_until_cancelled(self.fetch(user, trace, self.deadline())).await {
            Some(Ok(_)) => self.0.breaker.record_success(),
            Some(Err(error)) => tracing::debug!(%error, "user-preference-service is still down"),
            None => {}
        }
    }

    async fn fetch(&self, user: UserId, trace: &TraceHeaders, deadline: Instant) -> Result<ProfileResponse, PeerError> {
        let fetching = retry_broken_connection(|| self.fetch_once(user, trace));
        timeout_at(deadline, fetching).await.unwrap_or(Err(PeerError::TimedOut))
    }

    async fn fetch_once(&self, user: UserId, trace: &TraceHeaders) -> Result<ProfileResponse, PeerError> {
        let url = format!("{}/{user}/profile", self.0.base_url);
        let request = self.0.client.get(url).headers(trace.to_map());
        let response = send(USER_PREFERENCE_SERVICE, request).await?;
        match response.status() {
            StatusCode::OK => {
                Ok(ProfileResponse::Found(ProfileBody::new(read_limited(response, MAX_PROFILE_BYTES).await?)))
            }
            StatusCode::NOT_FOUND => Ok(ProfileResponse::NoSuchUser),
            status => Err(PeerError::Status(status.as_u16())),
        }
    }
}

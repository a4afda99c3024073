//! What user-preference-service knows about a user.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::time::timeout;

use super::{PeerError, PeersConfig, breaker::Breaker};
use crate::models::user_id::UserId;

/// Largest profile in bytes: more than a million seen movies.
const MAX_PROFILE_BYTES: usize = 16 * 1024 * 1024;

/// What came of asking for a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileAnswer {
    /// The profile as it was sent; not looked at yet.
    Profile(Vec<u8>),
    /// There is no such user.
    NoSuchUser,
    /// Nobody knows.
    Unavailable,
}

/// The user-preference-service.
#[derive(Debug)]
pub struct UserPreferenceService {
    client: Client,
    base_url: String,
    timeout: Duration,
    breaker: Breaker,
}

impl UserPreferenceService {
    /// Nothing is sent before the first question.
    pub fn new(client: Client, config: &PeersConfig) -> Self {
        let base_url = format!("{}/internal/v1/users", config.user_preference_service_url);
        Self { client, base_url, timeout: config.timeout, breaker: Breaker::default() }
    }

    /// Asks for the profile of `user`; waits for it no longer than the time limit, and not at all while the service
    /// is known to be down.
    pub async fn profile(&self, user: UserId) -> ProfileAnswer {
        let Some(permit) = self.breaker.permit() else { return ProfileAnswer::Unavailable };
        match timeout(self.timeout, self.ask(user)).await.unwrap_or(Err(PeerError::TimedOut)) {
            Ok(answer) => {
                permit.succeeded();
                answer
            }
            Err(error) => {
                tracing::debug!(%error, cause = ?std::error::Error::source(&error), "no profile");
                permit.failed();
                ProfileAnswer::Unavailable
            }
        }
    }

    /// One more try when a connection broke: it may have been an idle one that the peer was just closing.
    async fn ask(&self, user: UserId) -> Result<ProfileAnswer, PeerError> {
        match self.ask_once(user).await {
            Err(PeerError::Transport(_)) => self.ask_once(user).await,
            answer => answer,
        }
    }

    async fn ask_once(&self, user: UserId) -> Result<ProfileAnswer, PeerError> {
        let mut response = self.client.get(format!("{}/{user}/profile", self.base_url)).send().await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(ProfileAnswer::NoSuchUser),
            status => return Err(PeerError::Status(status.as_u16())),
        }
        let mut profile = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if profile.len() + chunk.len() > MAX_PROFILE_BYTES {
                return Err(PeerError::Malformed("the profile is too large".into()));
            }
            profile.extend_from_slice(&chunk);
        }
        Ok(ProfileAnswer::Profile(profile))
    }
}

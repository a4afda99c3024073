//! Fetches revisions of users in batches: lookups that arrive while a batch is under way share the next one, so the more
//! there are, the less each costs. A revision changes with everything that a user's recommendations depend on.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::oneshot,
    task::yield_now,
    time::{Instant, timeout},
};

use super::{PeerError, PeersConfig, USER_PREFERENCE_SERVICE, read_limited, retry_broken_connection, send};
use crate::models::user_id::UserId;

/// Most users in one batch.
const MAX_BATCH: usize = 1000;
/// How often other tasks may run before a batch is taken. Without load that takes microseconds.
const YIELDS: usize = 4;
/// Largest response in bytes.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;
/// An older release, which has no revisions, is asked again after this time.
const UNSUPPORTED_FOR: Duration = Duration::from_secs(30);

/// What came of asking for a user's revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevisionResponse {
    /// The revision, opaque.
    Known(String),
    /// There is no such user.
    NoSuchUser,
    /// The release of user-preference-service knows no revisions yet.
    Unsupported,
    /// user-preference-service gave no usable response.
    Unavailable,
}

/// The lookups that wait, and whether a task is sending them.
#[derive(Debug)]
pub(super) struct UserRevisions {
    client: Client,
    url: String,
    timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<PendingLookup>,
    is_sending: bool,
    unsupported_since: Option<Instant>,
}

/// A user whose revision a request waits for.
#[derive(Debug)]
struct PendingLookup {
    user: UserId,
    sender: oneshot::Sender<RevisionResponse>,
}

/// Lets the next lookup start a task when this one has panicked.
struct ResetOnPanic<'a>(&'a UserRevisions);

impl Drop for ResetOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().is_sending = false;
        }
    }
}

#[derive(Serialize)]
struct Request {
    users: Vec<i64>,
}

#[derive(Deserialize)]
struct Response {
    revisions: HashMap<i64, String>,
}

impl UserRevisions {
    pub(super) fn new(client: Client, config: &PeersConfig) -> Self {
        let url = format!("{}/internal/v1/revisions", config.user_preference_service_url);
        Self { client, url, timeout: config.profile_timeout, state: Mutex::default() }
    }

    /// Adds a lookup to the next batch. When the second value is true, the caller must have [`Self::send_all`] run in a task.
    pub(super) fn enqueue(&self, user: UserId) -> (oneshot::Receiver<RevisionResponse>, bool) {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if state.unsupported_since.is_some_and(|since| since.elapsed() < UNSUPPORTED_FOR) {
            let _ = sender.send(RevisionResponse::Unsupported);
            return (receiver, false);
        }
        state.waiting.push(PendingLookup { user, sender });
        let needs_sender = !std::mem::replace(&mut state.is_sending, true);
        (receiver, needs_sender)
    }

    /// Sends batches until nothing waits. A batch holds only lookups that were added before it is sent, so a revision is
    /// never older than the request that it is for. `report` is told how each batch went.
    pub(super) async fn send_all(&self, report: impl Fn(Result<(), &PeerError>)) {
        let _guard = ResetOnPanic(self);
        while let Some(batch) = self.next_batch().await {
            match self.send(&batch).await {
                Ok(response) => {
                    report(Ok(()));
                    self.complete(batch, response);
                }
                Err(error) => {
                    report(Err(&error));
                    batch.into_iter().for_each(|lookup| {
                        let _ = lookup.sender.send(RevisionResponse::Unavailable);
                    });
                }
            }
        }
    }

    /// The lookups that wait longest; without any, the sending task has ended.
    async fn next_batch(&self) -> Option<Vec<PendingLookup>> {
        // Requests that have arrived already may join: under load a batch would be a handful of them otherwise.
        for _ in 0..YIELDS {
            yield_now().await;
        }
        let mut state = self.lock();
        if state.waiting.is_empty() {
            state.is_sending = false;
            return None;
        }
        let count = state.waiting.len().min(MAX_BATCH);
        Some(state.waiting.drain(..count).collect())
    }

    /// The revisions of those users that exist; `None` from a release that has no revisions.
    async fn send(&self, batch: &[PendingLookup]) -> Result<Option<HashMap<i64, String>>, PeerError> {
        let mut users: Vec<i64> = batch.iter().map(|lookup| lookup.user.get()).collect();
        users.sort_unstable();
        users.dedup();
        let request = Request { users };
        let sending = retry_broken_connection(|| self.send_once(&request));
        timeout(self.timeout, sending).await.unwrap_or(Err(PeerError::TimedOut))
    }

    async fn send_once(&self, request: &Request) -> Result<Option<HashMap<i64, String>>, PeerError> {
        let response = send(USER_PREFERENCE_SERVICE, self.client.post(&self.url).json(request)).await?;
        match response.status() {
            StatusCode::OK => {
                let body = read_limited(response, MAX_RESPONSE_BYTES).await?;
                let Response { revisions } = serde_json::from_slice(&body).map_err(PeerError::malformed)?;
                Ok(Some(revisions))
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
            status => Err(PeerError::Status(status.as_u16())),
        }
    }

    fn complete(&self, batch: Vec<PendingLookup>, response: Option<HashMap<i64, String>>) {
        self.lock().unsupported_since = response.is_none().then(Instant::now);
        for PendingLookup { user, sender } in batch {
            let response = match &response {
                None => RevisionResponse::Unsupported,
                Some(revisions) => match revisions.get(&user.get()) {
                    Some(revision) => RevisionResponse::Known(revision.clone()),
                    None => RevisionResponse::NoSuchUser,
                },
            };
            // The request may have given up.
            let _ = sender.send(response);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

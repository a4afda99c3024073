//! Asks user-preference-service for the revisions of many users at once: requests that arrive while a question is under
//! way share the next one. A revision changes with everything that a user's recommendations depend on.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{PeerError, PeersConfig, read_limited, retry_broken_connection};
use crate::models::user_id::UserId;

/// Most users in one question.
const MAX_BATCH: usize = 1000;
/// Largest answer in bytes.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;
/// Questions under way at a time: one may be answered while the next is sent.
const MAX_SENDERS: usize = 2;
/// After an answer that an older release gives, the question is asked again after this time.
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
    /// user-preference-service gave no usable answer.
    Unavailable,
}

/// The questions that wait, and those that send them.
#[derive(Debug)]
pub(super) struct UserRevisions {
    client: Client,
    url: String,
    timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Question>,
    senders: usize,
    unsupported_since: Option<Instant>,
}

/// A user whose revision someone waits for.
#[derive(Debug)]
struct Question {
    user: UserId,
    answer: oneshot::Sender<RevisionResponse>,
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

    /// Puts a question. When the second value is true, the caller must have [`Self::send_all`] run in a task.
    pub(super) fn ask(&self, user: UserId) -> (oneshot::Receiver<RevisionResponse>, bool) {
        let (answer, receiver) = oneshot::channel();
        let mut state = self.lock();
        if state.unsupported_since.is_some_and(|since| since.elapsed() < UNSUPPORTED_FOR) {
            let _ = answer.send(RevisionResponse::Unsupported);
            return (receiver, false);
        }
        state.waiting.push(Question { user, answer });
        let needs_sender = state.senders < MAX_SENDERS;
        state.senders += usize::from(needs_sender);
        (receiver, needs_sender)
    }

    /// Sends what waits until nothing does. Only users that were put before it is sent are in a question, so an answer is
    /// never older than the request that it is for. `report` is told how each question went.
    pub(super) async fn send_all(&self, report: impl Fn(Result<(), &PeerError>)) {
        while let Some(questions) = self.next_batch() {
            match self.send(&questions).await {
                Ok(response) => {
                    report(Ok(()));
                    self.answer(questions, response);
                }
                Err(error) => {
                    report(Err(&error));
                    questions.into_iter().for_each(|question| {
                        let _ = question.answer.send(RevisionResponse::Unavailable);
                    });
                }
            }
        }
    }

    /// The questions that wait longest; without any, the sender has ended.
    fn next_batch(&self) -> Option<Vec<Question>> {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            state.senders -= 1;
            return None;
        }
        let count = state.waiting.len().min(MAX_BATCH);
        Some(state.waiting.drain(..count).collect())
    }

    /// The revisions of those users that exist; `None` from a release that does not know the question.
    async fn send(&self, questions: &[Question]) -> Result<Option<HashMap<i64, String>>, PeerError> {
        let mut users: Vec<i64> = questions.iter().map(|question| question.user.get()).collect();
        users.sort_unstable();
        users.dedup();
        let request = Request { users };
        let sending = retry_broken_connection(|| self.send_once(&request));
        timeout(self.timeout, sending).await.unwrap_or(Err(PeerError::TimedOut))
    }

    async fn send_once(&self, request: &Request) -> Result<Option<HashMap<i64, String>>, PeerError> {
        let response = self.client.post(&self.url).json(request).send().await?;
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

    fn answer(&self, questions: Vec<Question>, response: Option<HashMap<i64, String>>) {
        self.lock().unsupported_since = response.is_none().then(Instant::now);
        for Question { user, answer } in questions {
            let response = match &response {
                None => RevisionResponse::Unsupported,
                Some(revisions) => match revisions.get(&user.get()) {
                    Some(revision) => RevisionResponse::Known(revision.clone()),
                    None => RevisionResponse::NoSuchUser,
                },
            };
            // Who asked may have given up.
            let _ = answer.send(response);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

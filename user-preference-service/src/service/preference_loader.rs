//! Reads preferences in batches. A request joins the next batch, never one that is under way, so that nobody gets what
//! was read before they asked, and many requests cost few queries.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{sync::oneshot, time::timeout};

use crate::{
    database::postgres::{Database, DatabaseError},
    lifecycle::Lifecycle,
    models::id::UserId,
    repository::preferences::{self, Found},
};

/// Most requests that are answered by one query.
const BATCH_SIZE: usize = 1000;

/// The loader. Clones share the same queue.
#[derive(Clone)]
pub struct PreferenceLoader {
    database: Database,
    lifecycle: Lifecycle,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Request>,
    /// Whether a task is working on it.
    is_running: bool,
}

struct Request {
    user: UserId,
    known_revision: Option<i64>,
    reply: oneshot::Sender<Result<Found, DatabaseError>>,
}

impl PreferenceLoader {
    /// Reads from `database`.
    pub fn new(database: Database, lifecycle: Lifecycle) -> Self {
        Self { database, lifecycle, queue: Arc::default() }
    }

    /// The preferences of a user as they are now, or that they still have the revision that the caller knows.
    ///
    /// # Errors
    /// [`DatabaseError::Unavailable`] when there is no answer within the limit of one query, also while it waits for
    /// the query before.
    pub async fn load(&self, user: UserId, known_revision: Option<i64>) -> Result<Found, DatabaseError> {
        let (reply, answer) = oneshot::channel();
        if self.queue().push(Request { user, known_revision, reply }) {
            // In a task of its own: others wait for it, whatever becomes of this request.
            self.lifecycle.spawn(self.clone().run());
        }
        match timeout(self.database.query_timeout(), answer).await {
            Ok(Ok(result)) => result,
            _ => Err(DatabaseError::from_read(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))),
        }
    }

    /// Answers requests until there are none.
    async fn run(self) {
        let _guard = ResetOnPanic(self.queue.clone());
        let batch = || self.queue().next_batch();
        while let Some(batch) = batch() {
            let lookups: Vec<_> = batch.iter().map(|request| (request.user, request.known_revision)).collect();
            let result = preferences::find_many(&self.database, &lookups).await;
            for (index, request) in batch.into_iter().enumerate() {
                // Nobody waits for the reply when the client has gone.
                let _ = request.reply.send(result.as_ref().map(|found| found[index].clone()).map_err(Clone::clone));
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while it holds this lock")
    }
}

/// Lets the next request start a task when this one has panicked.
struct ResetOnPanic(Arc<Mutex<Queue>>);

impl Drop for ResetOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().expect("nothing panics while it holds this lock").is_running = false;
        }
    }
}

impl Queue {
    /// Says whether a task must be started.
    fn push(&mut self, request: Request) -> bool {
        self.waiting.push(request);
        !mem::replace(&mut self.is_running, true)
    }

    fn next_batch(&mut self) -> Option<Vec<Request>> {
        self.is_running = !self.waiting.is_empty();
        let size = self.waiting.len().min(BATCH_SIZE);
        self.is_running.then(|| self.waiting.drain(..size).collect())
    }
}

//! Does the work of concurrent requests in batches. A request joins the next batch, never one that is under way, so that
//! nobody gets what was read before they asked, and many requests cost few statements.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use crate::{database::postgres::DatabaseError, lifecycle::Lifecycle};

/// What is done in batches.
pub trait BatchWork: Send + Sync + 'static {
    /// One request.
    type Request: Send;
    /// What comes of it.
    type Reply: Send;

    /// Most requests of a batch.
    const BATCH_SIZE: usize;

    /// Does the work of a batch; gives as many results, in the same order.
    fn run(&self, requests: Vec<Self::Request>)
    -> impl Future<Output = Vec<Result<Self::Reply, DatabaseError>>> + Send;

    /// What it means that there is no reply in time.
    fn timed_out(error: sqlx::Error) -> DatabaseError;
}

/// The queue of one kind of work, of which one batch is under way at a time. Clones share the queue.
pub struct Batcher<W: BatchWork> {
    work: Arc<W>,
    lifecycle: Lifecycle,
    queue: Arc<Mutex<Queue<W>>>,
}

impl<W: BatchWork> Clone for Batcher<W> {
    fn clone(&self) -> Self {
        Self { work: self.work.clone(), lifecycle: self.lifecycle.clone(), queue: self.queue.clone() }
    }
}

struct Queue<W: BatchWork> {
    waiting: Vec<Waiting<W>>,
    /// Whether a task is working on it.
    is_running: bool,
}

struct Waiting<W: BatchWork> {
    request: W::Request,
    reply: oneshot::Sender<Result<W::Reply, DatabaseError>>,
}

impl<W: BatchWork> Batcher<W> {
    /// A batcher without requests.
    pub fn new(work: W, lifecycle: Lifecycle) -> Self {
        Self { work: Arc::new(work), lifecycle, queue: Arc::default() }
    }

    /// Hands a request in, which is worked on whatever becomes of the caller, and waits for the reply.
    ///
    /// # Errors
    /// That of the work, or that there was no reply within `limit`, also while it waits for the batch before.
    pub async fn submit(&self, request: W::Request, limit: Duration) -> Result<W::Reply, DatabaseError> {
        let (reply, answer) = oneshot::channel();
        if self.queue().push(Waiting { request, reply }) {
            // In a task of its own: others wait for it, whatever becomes of this request.
            self.lifecycle.spawn(self.clone().run());
        }
        match timeout(limit, answer).await {
            Ok(Ok(result)) => result,
            _ => Err(W::timed_out(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))),
        }
    }

    /// Works until there are no requests.
    async fn run(self) {
        let _guard = ResetOnPanic(self.queue.clone());
        let batch = || self.queue().next_batch();
        while let Some(batch) = batch() {
            let (requests, replies): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|waiting| (waiting.request, waiting.reply)).unzip();
            for (reply, result) in replies.into_iter().zip(self.work.run(requests).await) {
                // Nobody waits for the reply when the client has gone.
                let _ = reply.send(result);
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<W>> {
        self.queue.lock().expect("nothing panics while it holds this lock")
    }
}

/// Lets the next request start a task when this one has panicked.
struct ResetOnPanic<W: BatchWork>(Arc<Mutex<Queue<W>>>);

impl<W: BatchWork> Drop for ResetOnPanic<W> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().expect("nothing panics while it holds this lock").is_running = false;
        }
    }
}

impl<W: BatchWork> Default for Queue<W> {
    fn default() -> Self {
        Self { waiting: Vec::new(), is_running: false }
    }
}

impl<W: BatchWork> Queue<W> {
    /// Says whether a task must be started.
    fn push(&mut self, waiting: Waiting<W>) -> bool {
        self.waiting.push(waiting);
        !mem::replace(&mut self.is_running, true)
    }

    fn next_batch(&mut self) -> Option<Vec<Waiting<W>>> {
        self.is_running = !self.waiting.is_empty();
        let size = self.waiting.len().min(W::BATCH_SIZE);
        self.is_running.then(|| self.waiting.drain(..size).collect())
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    /// Doubles numbers, a batch of at most three a millisecond; panics at 13, and says of odd numbers that it has failed.
    #[derive(Default)]
    struct Doubling {
        batches: Mutex<Vec<Vec<u32>>>,
    }

    impl Doubling {
        fn batches(&self) -> Vec<Vec<u32>> {
            self.batches.lock().expect("not poisoned").clone()
        }
    }

    impl BatchWork for Doubling {
        type Request = u32;
        type Reply = u32;

        const BATCH_SIZE: usize = 3;

        async fn run(&self, requests: Vec<u32>) -> Vec<Result<u32, DatabaseError>> {
            assert!(requests.len() <= Self::BATCH_SIZE && !requests.contains(&13));
            self.batches.lock().expect("not poisoned").push(requests.clone());
            tokio::time::sleep(Duration::from_millis(1)).await;
            let double = |number: u32| match number % 2 {
                0 => Ok(number * 2),
                _ => Err(DatabaseError::Constraint(number.to_string())),
            };
            requests.into_iter().map(double).collect()
        }

        fn timed_out(error: sqlx::Error) -> DatabaseError {
            DatabaseError::from_write(error)
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    fn batcher() -> Batcher<Doubling> {
        Batcher::new(Doubling::default(), Lifecycle::new())
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_requests_share_batches_and_each_gets_its_own_result() {
        let batcher = batcher();
        let mut requests = JoinSet::new();
        for number in 14..30 {
            let batcher = batcher.clone();
            requests.spawn(async move { (number, batcher.submit(number, LONG).await) });
        }
        for (number, result) in requests.join_all().await {
            match result {
                Ok(double) => assert_eq!((number % 2, double), (0, number * 2)),
                Err(DatabaseError::Constraint(text)) => assert_eq!((number % 2, text), (1, number.to_string())),
                Err(error) => panic!("{error}"),
            }
        }
        let batches = batcher.work.batches().len();
        assert!((6..=7).contains(&batches), "16 requests took {batches} batches");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_given_up_is_worked_on_all_the_same() {
        let batcher = batcher();
        let given_up = batcher.submit(2, Duration::ZERO).await;
        assert!(matches!(given_up, Err(DatabaseError::Unconfirmed(_))));
        assert_eq!(batcher.submit(4, LONG).await.ok(), Some(8));
        assert_eq!(batcher.work.batches().concat(), [2, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_panic_the_next_request_is_worked_on() {
        let batcher = batcher();
        assert!(batcher.submit(13, LONG).await.is_err());
        assert_eq!(batcher.submit(4, LONG).await.ok(), Some(8));
    }
}

//! Records what was recommended, off the path of requests: lists wait in a bounded queue for one writer.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{snapshot::Snapshot, user_id::UserId},
    repository,
};

/// Users whose list waits to be written; beyond it the oldest one is dropped.
const CAPACITY: usize = 4096;
/// Lists written by one statement.
const BATCH: usize = 64;
/// Attempts for lists that PostgreSQL refuses, and for all once the service is stopping.
const MAX_ATTEMPTS: u32 = 3;
const MIN_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Lists waiting to be written, one a user: a newer one replaces an older one. Clones share the queue.
#[derive(Debug, Clone, Default)]
pub struct SnapshotQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<UserId, Snapshot>,
    /// The users of `waiting`, the one that waits longest first.
    order: VecDeque<UserId>,
    closed: bool,
    dropped: u64,
}

impl SnapshotQueue {
    /// Puts a list in the queue; never waits.
    pub fn push(&self, snapshot: Snapshot) {
        self.lock().push(snapshot);
        self.0.changed.notify_one();
    }

    /// No more lists will come: the writer ends when it has written those that wait.
    pub fn close(&self) {
        self.lock().closed = true;
        self.0.changed.notify_one();
    }

    /// How many users' lists wait.
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes what comes until the queue is closed and empty. While PostgreSQL is away it tries again and again; the
    /// queue's capacity limits what is kept. Own code and no `backon`, since a batch that failed gives way to newer lists.
    pub async fn write(self, database: Database) {
        let mut failures = 0;
        while let Some(batch) = self.next_batch().await {
            match repository::snapshots::store(&database, &batch).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures += 1;
                    self.failed(batch, &error, &mut failures);
                    sleep((MIN_RETRY_DELAY * failures).min(MAX_RETRY_DELAY)).await;
                }
            }
        }
    }

    /// The lists that wait longest; `None` when there will be no more.
    async fn next_batch(&self) -> Option<Vec<Snapshot>> {
        loop {
            {
                let mut state = self.lock();
                if !state.waiting.is_empty() {
                    return Some(state.take_batch());
                }
                if state.closed {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }

    fn failed(&self, batch: Vec<Snapshot>, error: &DatabaseError, failures: &mut u32) {
        let mut state = self.lock();
        if *failures >= MAX_ATTEMPTS && (!error.is_transient() || state.closed) {
            tracing::error!(lists = batch.len(), "snapshots could not be written and are dropped");
            *failures = 0;
            return;
        }
        state.requeue(batch);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, snapshot: Snapshot) {
        let user = snapshot.user;
        if let Some(waiting) = self.waiting.get_mut(&user) {
            if waiting.generated_at <= snapshot.generated_at {
                *waiting = snapshot;
            }
            return;
        }
        if self.waiting.len() >= CAPACITY {
            self.drop_oldest();
        }
        self.waiting.insert(user, snapshot);
        self.order.push_back(user);
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            self.waiting.remove(&oldest);
            self.dropped += 1;
            if self.dropped.is_power_of_two() {
                tracing::warn!(lists = self.dropped, "snapshots dropped since the start: the queue is full");
            }
        }
    }

    fn take_batch(&mut self) -> Vec<Snapshot> {
        let count = self.order.len().min(BATCH);
        let users: Vec<UserId> = self.order.drain(..count).collect();
        users.iter().filter_map(|user| self.waiting.remove(user)).collect()
    }

    /// Lists that could not be written wait again, before the others, unless there is a newer one of the same user.
    fn requeue(&mut self, batch: Vec<Snapshot>) {
        for snapshot in batch.into_iter().rev() {
            if self.waiting.len() < CAPACITY && !self.waiting.contains_key(&snapshot.user) {
                self.order.push_front(snapshot.user);
                self.waiting.insert(snapshot.user, snapshot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn snapshot(user: usize, second: i64) -> Snapshot {
        let user = user.to_string().parse().expect("an id");
        let generated_at: DateTime<Utc> = DateTime::from_timestamp(second, 0).expect("a time");
        Snapshot { user, generated_at, movies: Vec::new() }
    }

    fn times(batch: &[Snapshot]) -> Vec<(i64, i64)> {
        batch.iter().map(|snapshot| (snapshot.user.get(), snapshot.generated_at.timestamp())).collect()
    }

    #[test]
    fn the_newest_list_of_a_user_is_kept_in_any_order_of_arrival() {
        let mut state = State::default();
        for (user, second) in [(1, 5), (2, 6), (1, 8), (1, 7)] {
            state.push(snapshot(user, second));
        }
        assert_eq!(times(&state.take_batch()), [(1, 8), (2, 6)]);
        assert!(state.waiting.is_empty() && state.order.is_empty());
    }

    #[test]
    fn a_failed_list_is_requeued_unless_there_is_a_newer_one() {
        let mut state = State::default();
        state.push(snapshot(1, 1));
        state.push(snapshot(2, 1));
        let failed = state.take_batch();
        state.push(snapshot(3, 1));
        state.push(snapshot(1, 2));
        state.requeue(failed);
        assert_eq!(times(&state.take_batch()), [(2, 1), (3, 1), (1, 2)]);
    }

    #[test]
    fn a_full_queue_drops_the_oldest_list() {
        let mut state = State::default();
        for user in 1..=CAPACITY + 1 {
            state.push(snapshot(user, 1));
        }
        assert_eq!((state.waiting.len(), state.order.len()), (CAPACITY, CAPACITY));
        assert_eq!(state.order.front().map(|user| user.get()), Some(2));
    }
}

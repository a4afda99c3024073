//! Records what was recommended, off the path of requests: lists wait in a bounded queue for one writer.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::PgPool;
use tokio::{sync::Notify, time::sleep};

use crate::{
    database::postgres::is_transient_code,
    models::{snapshot::Snapshot, user_id::UserId},
    repository,
};

/// Users whose list waits to be written; beyond it the one that waits longest is given up.
const CAPACITY: usize = 4096;
/// Lists written by one statement.
const BATCH: usize = 64;
/// Tries for lists that PostgreSQL refuses, and for all once the service is stopping.
const LAST_TRIES: u32 = 3;
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Lists waiting to be written, one a user: a newer one takes the place of an older one. Clones share the queue.
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
    given_up: u64,
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

    /// Writes what comes until the queue is closed and empty. While PostgreSQL is away it tries on, and the queue's
    /// bound is what limits how much is kept.
    pub async fn write(self, pool: PgPool) {
        let mut failures = 0;
        while let Some(batch) = self.next_batch().await {
            match repository::snapshots::store(&pool, &batch).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures += 1;
                    self.failed(batch, &error, &mut failures);
                    sleep((SHORTEST_PAUSE * failures).min(LONGEST_PAUSE)).await;
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
                    return Some(state.take());
                }
                if state.closed {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }

    fn failed(&self, batch: Vec<Snapshot>, error: &sqlx::Error, failures: &mut u32) {
        let refused = matches!(error, sqlx::Error::Database(error) if error.code().is_none_or(|code| !may_pass(&code)));
        let mut state = self.lock();
        if *failures >= LAST_TRIES && (refused || state.closed) {
            tracing::error!(%error, lists = batch.len(), "snapshots could not be written and are given up");
            *failures = 0;
            return;
        }
        if *failures == 1 {
            tracing::warn!(%error, "snapshots cannot be written; trying on");
        }
        state.put_back(batch);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Besides a server in trouble: two replicas that waited for each other's rows.
fn may_pass(code: &str) -> bool {
    is_transient_code(code) || code.starts_with("40") || code == "55P03"
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
            self.give_up_oldest();
        }
        self.waiting.insert(user, snapshot);
        self.order.push_back(user);
    }

    fn give_up_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            self.waiting.remove(&oldest);
            self.given_up += 1;
            if self.given_up.is_power_of_two() {
                tracing::warn!(lists = self.given_up, "snapshots given up since the start: the queue is full");
            }
        }
    }

    fn take(&mut self) -> Vec<Snapshot> {
        let count = self.order.len().min(BATCH);
        let users: Vec<UserId> = self.order.drain(..count).collect();
        users.iter().filter_map(|user| self.waiting.remove(user)).collect()
    }

    /// Lists that could not be written wait again, before the others, unless there is a newer one of the same user.
    fn put_back(&mut self, batch: Vec<Snapshot>) {
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
    fn of_one_user_the_newest_list_waits_whatever_comes_when() {
        let mut state = State::default();
        for (user, second) in [(1, 5), (2, 6), (1, 8), (1, 7)] {
            state.push(snapshot(user, second));
        }
        assert_eq!(times(&state.take()), [(1, 8), (2, 6)]);
        assert!(state.waiting.is_empty() && state.order.is_empty());
    }

    #[test]
    fn a_list_that_failed_waits_again_unless_there_is_a_newer_one() {
        let mut state = State::default();
        state.push(snapshot(1, 1));
        state.push(snapshot(2, 1));
        let failed = state.take();
        state.push(snapshot(3, 1));
        state.push(snapshot(1, 2));
        state.put_back(failed);
        assert_eq!(times(&state.take()), [(2, 1), (3, 1), (1, 2)]);
    }

    #[test]
    fn a_full_queue_gives_up_what_waits_longest() {
        let mut state = State::default();
        for user in 1..=CAPACITY + 1 {
            state.push(snapshot(user, 1));
        }
        assert_eq!((state.waiting.len(), state.order.len()), (CAPACITY, CAPACITY));
        assert_eq!(state.order.front().map(|user| user.get()), Some(2));
    }
}

//! Records lists, off the path of requests: they wait in a bounded queue for one writer.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{recorded_list::RecordedList, snapshot::Snapshot, user_id::UserId},
    repository,
};

/// Lists that wait to be written; beyond it the oldest one is dropped.
const CAPACITY: usize = 4096;
/// Lists written by one transaction.
const BATCH: usize = 64;
/// Attempts for lists that PostgreSQL refuses, and for all once the service is stopping.
const MAX_ATTEMPTS: u32 = 3;
const MIN_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Longest wait for lists to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Lists waiting to be written. Clones share the queue.
#[derive(Debug, Clone, Default)]
pub struct ListQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
    /// Lists with a lower number are written or dropped.
    finished: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// By their numbers, which grow.
    waiting: VecDeque<(u64, RecordedList)>,
    /// The number of the next list.
    next: u64,
    closed: bool,
    dropped: u64,
}

/// Lists that are being written, with their numbers.
type Batch = Vec<(u64, RecordedList)>;

impl ListQueue {
    /// Puts a list in the queue; never waits.
    pub fn push(&self, list: RecordedList) {
        self.lock().push(list);
        self.0.changed.notify_one();
    }

    /// No more lists will come: the writer ends when it has written those that wait.
    pub fn close(&self) {
        self.lock().closed = true;
        self.0.changed.notify_one();
    }

    /// How many lists wait.
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns when every list that was pushed before the call is written or dropped; false when that takes too long.
    pub async fn flushed(&self) -> bool {
        let next = self.lock().next;
        let mut finished = self.0.finished.subscribe();
        timeout(FLUSH_TIMEOUT, finished.wait_for(|finished| *finished >= next)).await.is_ok()
    }

    /// Writes what comes until the queue is closed and empty. While PostgreSQL is away it tries again and again; the
    /// queue's capacity limits what is kept. Own code and no `backon`, since a batch that failed gives way to newer lists.
    pub async fn write(self, database: Database) {
        let mut failures = 0;
        while let Some(batch) = self.next_batch().await {
            let (numbers, lists): (Vec<u64>, Vec<RecordedList>) = batch.into_iter().unzip();
            let written = repository::recorded_lists::store(&database, &lists, &newest_of_each_user(&lists)).await;
            if let Err(error) = &written {
                failures += 1;
                self.failed(numbers.into_iter().zip(lists).collect(), error, &mut failures);
            } else {
                failures = 0;
            }
            self.0.finished.send_replace(self.lock().oldest());
            if written.is_err() {
                sleep((MIN_RETRY_DELAY * failures).min(MAX_RETRY_DELAY)).await;
            }
        }
    }

    /// The lists that wait longest; `None` when there will be no more.
    async fn next_batch(&self) -> Option<Batch> {
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

    fn failed(&self, batch: Batch, error: &DatabaseError, failures: &mut u32) {
        let mut state = self.lock();
        if *failures >= MAX_ATTEMPTS && (!error.is_transient() || state.closed) {
            tracing::error!(lists = batch.len(), "lists could not be recorded and are dropped");
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
    fn push(&mut self, list: RecordedList) {
        if self.waiting.len() >= CAPACITY {
            self.waiting.pop_front();
            self.dropped += 1;
            if self.dropped.is_power_of_two() {
                tracing::warn!(lists = self.dropped, "lists not recorded since the start: the queue is full");
            }
        }
        self.waiting.push_back((self.next, list));
        self.next += 1;
    }

    fn take_batch(&mut self) -> Batch {
        let count = self.waiting.len().min(BATCH);
        self.waiting.drain(..count).collect()
    }

    /// Lists that could not be written wait again, before the others, as far as there is room.
    fn requeue(&mut self, batch: Batch) {
        for list in batch.into_iter().rev() {
            if self.waiting.len() < CAPACITY {
                self.waiting.push_front(list);
            }
        }
    }

    /// The lowest number of those that wait, or the next one.
    fn oldest(&self) -> u64 {
        self.waiting.front().map_or(self.next, |(number, _)| *number)
    }
}

/// What the table of snapshots is to have: a list without the profile of its user says nothing of that user.
fn newest_of_each_user(lists: &[RecordedList]) -> Vec<Snapshot> {
    let mut newest: HashMap<UserId, &RecordedList> = HashMap::new();
    for list in lists.iter().filter(|list| !list.degraded) {
        let Some(user) = list.user else { continue };
        let known = newest.entry(user).or_insert(list);
        if known.generated_at <= list.generated_at {
            *known = list;
        }
    }
    let movies = |list: &RecordedList| list.items.iter().map(|item| (item.movie_id, item.score)).collect();
    newest
        .into_iter()
        .map(|(user, list)| Snapshot { user, generated_at: list.generated_at, movies: movies(list) })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn list(user: i64, second: i64) -> RecordedList {
        RecordedList {
            id: format!("{user}-{second}"),
            user: UserId::try_from(user).ok(),
            generated_at: DateTime::from_timestamp(second, 0).expect("a time"),
            strategy: "popular".into(),
            arm: None,
            model_version: String::new(),
            degraded: false,
            first_place: 1,
            rules: Vec::new(),
            items: Vec::new(),
        }
    }

    fn numbers(state: &State) -> Vec<u64> {
        state.waiting.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn the_newest_list_of_a_user_is_the_snapshot_in_any_order_of_arrival() {
        let general = RecordedList { degraded: true, ..list(1, 9) };
        let visitor = RecordedList { user: None, ..list(1, 9) };
        let lists = [list(1, 5), list(2, 6), list(1, 8), list(1, 7), general, visitor];
        let mut snapshots: Vec<_> = newest_of_each_user(&lists)
            .iter()
            .map(|snapshot| (snapshot.user.get(), snapshot.generated_at.timestamp()))
            .collect();
        snapshots.sort_unstable();
        assert_eq!(snapshots, [(1, 8), (2, 6)]);
    }

    #[test]
    fn lists_that_could_not_be_written_wait_again_before_the_others() {
        let mut state = State::default();
        state.push(list(1, 1));
        state.push(list(2, 1));
        let failed = state.take_batch();
        assert_eq!((failed.len(), state.oldest()), (2, 2));
        state.push(list(3, 1));
        state.requeue(failed);
        assert_eq!((numbers(&state), state.oldest()), (vec![0, 1, 2], 0));
    }

    #[test]
    fn a_full_queue_drops_the_oldest_list_also_of_those_that_come_back() {
        let mut state = State::default();
        state.push(list(1, 1));
        state.push(list(1, 2));
        let failed = state.take_batch();
        for second in 3..=CAPACITY as i64 + 1 {
            state.push(list(1, second));
        }
        state.requeue(failed);
        assert_eq!((state.waiting.len(), state.oldest()), (CAPACITY, 1));
        state.push(list(1, 0));
        assert_eq!((state.waiting.len(), state.oldest()), (CAPACITY, 2));
    }

    #[tokio::test]
    async fn flushed_waits_for_what_was_pushed_before_and_for_nothing_else() {
        let queue = ListQueue::default();
        assert!(queue.flushed().await);
        queue.push(list(1, 1));
        let flushed = queue.flushed();
        tokio::pin!(flushed);
        assert!(futures_util::poll!(&mut flushed).is_pending());
        let batch = queue.next_batch().await.expect("a list");
        queue.push(list(1, 2));
        assert!(futures_util::poll!(&mut flushed).is_pending());
        drop(batch);
        queue.0.finished.send_replace(queue.lock().oldest());
        assert!(futures_util::poll!(&mut flushed).is_ready());
    }
}

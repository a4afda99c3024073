//! What was counted, for as long as the catalogue stays as it is. The revision that tells comes from PostgreSQL, with
//! each page: a change by whomever, seen through no cache, makes another one.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use crate::lifecycle::Lifecycle;

use super::{flight::Flights, movies::Unavailable};

/// Of what is counted: its digest, so that long filters take no more room than short ones.
type Key = [u8; 32];

/// A value and the revision it was counted under.
pub(super) type Counted<T> = Result<(i64, T), Unavailable>;

/// The values of those keys that were used last.
pub(super) struct Remembered<T> {
    most: usize,
    kept: Mutex<Kept<T>>,
    flights: Flights<(Key, i64), Counted<T>>,
}

struct Kept<T> {
    uses: u64,
    values: HashMap<Key, Value<T>>,
}

struct Value<T> {
    used: u64,
    revision: i64,
    value: T,
}

impl<T: Clone + Send + Sync + 'static> Remembered<T> {
    /// Keeps values of `most` keys.
    pub(super) fn new(most: usize, lifecycle: Lifecycle) -> Self {
        let kept = Mutex::new(Kept { uses: 0, values: HashMap::new() });
        Self { most, kept, flights: Flights::new(lifecycle) }
    }

    /// The value of `key` under `revision`, from memory if it is there, else by `count`, once for all who ask at the
    /// same time. It comes with its own revision, which is another one if the catalogue has changed meanwhile.
    pub(super) async fn get<W>(&self, key: &str, revision: i64, count: impl FnOnce() -> W) -> Counted<T>
    where
        W: Future<Output = Counted<T>> + Send + 'static,
    {
        let key: Key = Sha256::digest(key.as_bytes()).into();
        if let Some(value) = self.recall(&key, revision) {
            return Ok((revision, value));
        }
        let (revision, value) = self.flights.join((key, revision), count, |_| async {}).await.ok_or(Unavailable)??;
        self.keep(key, revision, value.clone());
        Ok((revision, value))
    }

    fn recall(&self, key: &Key, revision: i64) -> Option<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        let value = kept.values.get_mut(key).filter(|value| value.revision == revision)?;
        value.used = uses;
        Some(value.value.clone())
    }

    fn keep(&self, key: Key, revision: i64, value: T) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let used = kept.uses;
        kept.values.insert(key, Value { used, revision, value });
        if kept.values.len() > self.most {
            // Half of them at once: then it is seldom that all must be looked at.
            let mut uses: Vec<u64> = kept.values.values().map(|value| value.used).collect();
            uses.sort_unstable();
            let since = uses[uses.len() / 2];
            kept.values.retain(|_, value| value.used >= since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(remembered: &Remembered<u32>, key: &str, revision: i64, counted: Counted<u32>) -> Counted<u32> {
        remembered.get(key, revision, || async move { counted }).await
    }

    #[tokio::test]
    async fn a_count_is_good_for_its_revision() {
        let remembered = Remembered::new(10, Lifecycle::new());
        assert_eq!(get(&remembered, "a", 1, Ok((1, 7))).await, Ok((1, 7)));
        assert_eq!(get(&remembered, "a", 1, Ok((1, 8))).await, Ok((1, 7)), "remembered");
        assert_eq!(get(&remembered, "b", 1, Ok((1, 9))).await, Ok((1, 9)), "another filter");
        assert_eq!(get(&remembered, "a", 2, Ok((3, 8))).await, Ok((3, 8)), "it says what it was counted under");
        assert_eq!(get(&remembered, "a", 2, Err(Unavailable)).await, Err(Unavailable), "a failure is not remembered");
        assert_eq!(get(&remembered, "a", 3, Err(Unavailable)).await, Ok((3, 8)));
    }

    #[tokio::test]
    async fn those_used_last_are_kept() {
        let remembered = Remembered::new(10, Lifecycle::new());
        for n in 0..1000 {
            assert_eq!(get(&remembered, &n.to_string(), 1, Ok((1, n))).await, Ok((1, n)));
            assert_eq!(get(&remembered, "0", 1, Ok((1, 1))).await, Ok((1, 0)), "used all the time");
        }
        assert!(remembered.kept.lock().expect("lock").values.len() <= 10);
    }
}

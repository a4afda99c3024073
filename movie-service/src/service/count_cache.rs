//! Counts, for as long as the catalogue stays as it is. The revision that tells comes from PostgreSQL, with each page: a
//! change by whomever, seen through no cache, makes another one.

use moka::future::Cache;
use sha2::{Digest, Sha256};

/// What is counted, as a digest so that long filters take no more room than short ones, and the revision it is of.
type Key = ([u8; 32], i64);

/// The catalogue has changed, or the database failed: whoever waited for the same count must make it alone.
#[derive(Debug)]
struct NotShared;

/// Counts of the filters that are used most. Those who ask for one at the same time share it. Clones share the same state.
#[derive(Clone)]
pub(super) struct CountCache<T>(Cache<Key, T>);

impl<T: Clone + Send + Sync + 'static> CountCache<T> {
    /// Keeps as many as `capacity`.
    pub(super) fn new(capacity: u64) -> Self {
        Self(Cache::new(capacity))
    }

    /// The count of `filters` under `revision`: a kept one, or what `count` gives with the revision that it is of. `None`
    /// when that is another one, or nobody could count.
    pub(super) async fn get<E>(
        &self,
        filters: &str,
        revision: i64,
        count: impl Future<Output = Result<(i64, T), E>> + Send,
    ) -> Option<T> {
        let key = (Sha256::digest(filters.as_bytes()).into(), revision);
        let count = async {
            match count.await {
                Ok((counted, value)) if counted == revision => Ok(value),
                _ => Err(NotShared),
            }
        };
        self.0.try_get_with(key, count).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(
        cache: &CountCache<u32>,
        filters: &str,
        revision: i64,
        counted: Result<(i64, u32), ()>,
    ) -> Option<u32> {
        cache.get(filters, revision, async { counted }).await
    }

    #[tokio::test]
    async fn a_count_is_good_for_its_revision() {
        let cache = CountCache::new(10);
        assert_eq!(get(&cache, "a", 1, Ok((1, 7))).await, Some(7));
        assert_eq!(get(&cache, "a", 1, Ok((1, 8))).await, Some(7), "kept");
        assert_eq!(get(&cache, "b", 1, Ok((1, 9))).await, Some(9), "another filter");
        assert_eq!(get(&cache, "a", 2, Ok((3, 8))).await, None, "counted under another revision");
        assert_eq!(get(&cache, "a", 2, Err(())).await, None, "neither that nor a failure is kept");
        assert_eq!(get(&cache, "a", 2, Ok((2, 8))).await, Some(8));
    }

    #[tokio::test]
    async fn those_who_ask_together_count_once() {
        let (cache, counts) = (CountCache::new(10), std::sync::atomic::AtomicU32::new(0));
        let count = async || {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            Ok::<_, ()>((1, counts.fetch_add(1, std::sync::atomic::Ordering::SeqCst)))
        };
        let counted = futures_util::future::join_all((0..50).map(|_| cache.get("a", 1, count()))).await;
        assert_eq!(counted, vec![Some(0); 50]);
    }
}

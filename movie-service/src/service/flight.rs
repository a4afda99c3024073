//! Many who ask for the same thing at the same time share one answer.

use std::{
    collections::{HashMap, hash_map::Entry},
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

use crate::lifecycle::Lifecycle;

/// Work under way, by key. Clones share the same state.
pub(super) struct Flights<K, T> {
    under_way: Arc<Mutex<HashMap<K, watch::Receiver<Option<T>>>>>,
    lifecycle: Lifecycle,
}

impl<K, T> Flights<K, T>
where
    K: Hash + Eq + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(super) fn new(lifecycle: Lifecycle) -> Self {
        Self { under_way: Arc::default(), lifecycle }
    }

    /// The answer of the work under way for `key`, or of `work`, which is begun if there is none. It runs in a task of
    /// its own, so that whoever began it may go away. `afterwards` gets the answer after everybody has it; until it
    /// ends, the answer is given to all who come. `None` when the work panicked.
    pub(super) async fn join<W, A>(
        &self,
        key: K,
        work: impl FnOnce() -> W,
        afterwards: impl FnOnce(T) -> A + Send + 'static,
    ) -> Option<T>
    where
        W: Future<Output = T> + Send + 'static,
        A: Future<Output = ()> + Send,
    {
        let mut answer = self.answer(key, work, afterwards);
        let answer = answer.wait_for(Option::is_some).await.ok()?;
        answer.clone()
    }

    fn answer<W, A>(
        &self,
        key: K,
        work: impl FnOnce() -> W,
        afterwards: impl FnOnce(T) -> A + Send + 'static,
    ) -> watch::Receiver<Option<T>>
    where
        W: Future<Output = T> + Send + 'static,
        A: Future<Output = ()> + Send,
    {
        let (publish, answer) = match self.under_way.lock().expect("nothing panics under this lock").entry(key.clone())
        {
            Entry::Occupied(begun) => return begun.get().clone(),
            Entry::Vacant(free) => {
                let (publish, answer) = watch::channel(None);
                (publish, free.insert(answer).clone())
            }
        };
        // Without the lock, which a landing takes: a runtime that is shutting down drops the task at once.
        let landing = Landing { under_way: self.under_way.clone(), key };
        let work = work();
        self.lifecycle.spawn(async move {
            let _landing = landing;
            let answer = work.await;
            publish.send_replace(Some(answer.clone()));
            afterwards(answer).await;
        });
        answer
    }
}

/// Takes the entry out, whatever becomes of the work.
struct Landing<K: Hash + Eq, T> {
    under_way: Arc<Mutex<HashMap<K, watch::Receiver<Option<T>>>>>,
    key: K,
}

impl<K: Hash + Eq, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        self.under_way.lock().expect("nothing panics under this lock").remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use super::*;

    #[tokio::test]
    async fn those_who_ask_together_share_one_answer() {
        let flights = Flights::new(Lifecycle::new());
        let begun = Arc::new(AtomicU32::new(0));
        let ask = || {
            let begun = begun.clone();
            let work = move || async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                begun.fetch_add(1, Ordering::SeqCst)
            };
            flights.join("key", work, |_| async {})
        };
        let answers = futures_util::future::join_all((0..50).map(|_| ask())).await;
        assert_eq!(answers, vec![Some(0); 50]);
        while !flights.under_way.lock().expect("lock").is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(ask().await, Some(1), "later ones get a new answer");
    }

    #[tokio::test]
    async fn work_that_panics_leaves_nobody_waiting() {
        let flights: Flights<&str, u32> = Flights::new(Lifecycle::new());
        assert_eq!(flights.join("key", || async { panic!("on purpose") }, |_| async {}).await, None);
        assert_eq!(flights.join("key", || async { 7 }, |_| async {}).await, Some(7));
    }

    #[test]
    fn a_runtime_that_shuts_down_leaves_nobody_waiting() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let flights: Flights<&str, u32> = Flights::new(Lifecycle::new());
        let closed = runtime();
        let handle = closed.handle().clone();
        drop(closed);
        let answer = {
            let _entered = handle.enter();
            flights.answer("key", || async { 7 }, |_| async {})
        };
        assert!(answer.has_changed().is_err(), "nobody is going to answer");
        assert_eq!(runtime().block_on(flights.join("key", || async { 8 }, |_| async {})), Some(8));
    }
}

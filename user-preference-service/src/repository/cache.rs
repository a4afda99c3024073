//! Cached preferences in Redis: the bytes of the answer under `user:pref:{user id}`, for ten minutes.
//!
//! A reader that found nothing takes a lease (`user:pref:{user id}:lease`, a random value) *before* it reads the
//! database, and its result is stored only while that lease is still there. A writer deletes entry and lease together
//! *after* its change is committed. So what was read before a change can never be stored after it, however long the
//! reader takes, and also with several copies of the service or after Redis lost its memory.
//!
//! A deletion that Redis did not confirm is remembered and made up for before the cache is used again.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use redis::{RedisResult, Script, aio::ConnectionManager};
use tokio::time::Instant;

use crate::{
    database::redis::RedisLink,
    lifecycle::Lifecycle,
    models::{id::UserId, preferences::Preferences},
};

/// Longest life of an entry.
const ENTRY_TTL: Duration = Duration::from_secs(600);
/// Longest life of a lease; a reader that takes longer stores nothing.
const LEASE_TTL: Duration = Duration::from_secs(60);
/// Most users whose entries wait to be deleted.
const MAX_OWED: usize = 50_000;
/// Most users whose entries are deleted by one command, so that it fits into its time limit.
const DELETE_BATCH: usize = 1000;

/// Stores the entry if the lease is still the reader's own. A lease of another type is nobody's.
const STORE_IF_LEASED: &str = "
    if redis.pcall('GET', KEYS[2]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
    redis.call('DEL', KEYS[2])
    return 1";

/// The right to store what is read from the database after it was given.
#[derive(Debug)]
pub struct Lease {
    user: UserId,
    token: String,
}

/// The cache. Clones share the same state.
#[derive(Clone)]
pub struct PreferenceCache {
    redis: RedisLink,
    lifecycle: Lifecycle,
    store_if_leased: Arc<Script>,
    debt: Arc<Mutex<Debt>>,
}

/// What Redis may still hold although it must not.
#[derive(Debug, Default)]
struct Debt {
    /// Users whose entries are to be deleted.
    owed: HashSet<i64>,
    /// Whether a task is deleting now.
    paying: bool,
    /// Too many were owed to remember them: until then, any entry may be stale.
    blind_until: Option<Instant>,
}

impl PreferenceCache {
    /// A cache that is empty or was filled by this service.
    pub fn new(redis: RedisLink, lifecycle: Lifecycle) -> Self {
        let store_if_leased = Arc::new(Script::new(STORE_IF_LEASED));
        Self { redis, lifecycle, store_if_leased, debt: Arc::default() }
    }

    /// The cached answer, if there is one that makes sense.
    pub async fn get(&self, user: UserId) -> Option<Bytes> {
        if !self.is_trusted().await {
            return None;
        }
        let key = entry_key(user.get());
        let entry = self.redis.run(async move |redis| redis::cmd("GET").arg(key).query_async(redis).await).await;
        let entry: Option<Vec<u8>> = entry.ok().flatten();
        entry.filter(|bytes| is_answer_for(user, bytes)).map(Bytes::from)
    }

    /// To be asked for before the database is read; `None` when the cache cannot be used.
    pub async fn lease(&self, user: UserId) -> Option<Lease> {
        if !self.is_trusted().await {
            return None;
        }
        let token = format!("{:032x}", rand::random::<u128>());
        let mut command = redis::cmd("SET");
        command.arg(lease_key(user.get())).arg(&token).arg("EX").arg(LEASE_TTL.as_secs());
        self.redis.run(async move |redis| command.query_async::<()>(redis).await).await.ok()?;
        Some(Lease { user, token })
    }

    /// Stores an answer that was read after `lease` was given, unless a change has ended the lease.
    pub async fn store(&self, lease: Lease, answer: &Bytes) {
        let id = lease.user.get();
        let (script, answer) = (self.store_if_leased.clone(), answer.clone());
        let stored = self.redis.run(async move |redis: &mut ConnectionManager| -> RedisResult<i64> {
            let mut call = script.prepare_invoke();
            call.key(entry_key(id)).key(lease_key(id)).arg(lease.token).arg(&answer[..]).arg(ENTRY_TTL.as_secs());
            call.invoke_async(redis).await
        });
        if let Err(error) = stored.await {
            tracing::debug!(%error, "preferences not cached");
        }
    }

    /// To be called after a change is committed and before it is acknowledged.
    pub async fn invalidate(&self, user: UserId) {
        if !self.delete(&[user.get()]).await {
            tracing::debug!(user = user.get(), "cached preferences not deleted, kept in mind");
            self.debt().owe(user.get());
        }
    }

    /// Whether nothing in Redis is known to be stale; pays what is owed, if Redis takes it.
    async fn is_trusted(&self) -> bool {
        if !self.redis.is_up() {
            return false;
        }
        let Some(owed) = self.debt().begin_to_pay() else { return false };
        if owed.is_empty() {
            return true;
        }
        // In a task of its own: a request that is dropped here would leave the debt half paid for ever.
        let this = self.clone();
        self.lifecycle.run_to_completion(async move { this.pay(owed).await }).await
    }

    async fn pay(&self, mut owed: HashSet<i64>) -> bool {
        while !owed.is_empty() {
            let batch: Vec<i64> = owed.iter().copied().take(DELETE_BATCH).collect();
            if !self.delete(&batch).await {
                break;
            }
            for id in batch {
                owed.remove(&id);
            }
        }
        self.debt().end_paying(owed)
    }

    /// Deletes entries and leases in one step; says whether Redis confirmed it.
    async fn delete(&self, users: &[i64]) -> bool {
        let mut command = redis::cmd("DEL");
        for id in users {
            command.arg(entry_key(*id)).arg(lease_key(*id));
        }
        self.redis.run(async move |redis| command.query_async::<()>(redis).await).await.is_ok()
    }

    fn debt(&self) -> MutexGuard<'_, Debt> {
        self.debt.lock().expect("nothing panics while it holds this lock")
    }
}

impl Debt {
    fn owe(&mut self, user: i64) {
        self.owed.insert(user);
        self.forget_if_too_many();
    }

    /// What is to be deleted now, nothing when all is well; `None` while the cache must not be used.
    fn begin_to_pay(&mut self) -> Option<HashSet<i64>> {
        if self.paying || self.blind_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        self.paying = !self.owed.is_empty();
        Some(mem::take(&mut self.owed))
    }

    /// Takes back what could not be deleted. Says whether all is well.
    fn end_paying(&mut self, unpaid: HashSet<i64>) -> bool {
        self.paying = false;
        self.owed.extend(unpaid);
        self.forget_if_too_many();
        self.owed.is_empty() && self.blind_until.is_none_or(|until| Instant::now() >= until)
    }

    fn forget_if_too_many(&mut self) {
        if self.owed.len() > MAX_OWED {
            self.owed.clear();
            // A reader may still store under a lease that was not deleted, so that entry's life counts as well.
            self.blind_until = Some(Instant::now() + ENTRY_TTL + LEASE_TTL);
            tracing::warn!(
                "too many cached preferences could not be deleted; not using the cache until all have expired"
            );
        }
    }
}

/// Whether these bytes are the preferences of this user, and not something else that was left under the key.
fn is_answer_for(user: UserId, bytes: &[u8]) -> bool {
    serde_json::from_slice::<Preferences>(bytes).is_ok_and(|preferences| preferences.user_id == user.get())
}

fn entry_key(user: i64) -> String {
    format!("user:pref:{user}")
}

fn lease_key(user: i64) -> String {
    format!("user:pref:{user}:lease")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_paid_by_one_at_a_time_and_the_cache_not_used_meanwhile() {
        let mut debt = Debt::default();
        assert_eq!(debt.begin_to_pay(), Some(HashSet::new()));
        debt.owe(7);
        assert_eq!(debt.begin_to_pay(), Some(HashSet::from([7])));
        assert_eq!(debt.begin_to_pay(), None);
        debt.owe(7);
        assert!(!debt.end_paying(HashSet::new()), "what came to be owed meanwhile is still owed");
        assert_eq!(debt.begin_to_pay(), Some(HashSet::from([7])));
        assert!(!debt.end_paying(HashSet::from([7])), "what could not be paid is still owed");
        assert_eq!(debt.begin_to_pay(), Some(HashSet::from([7])));
        assert!(debt.end_paying(HashSet::new()));
        assert_eq!(debt.begin_to_pay(), Some(HashSet::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn when_too_much_is_owed_the_cache_is_not_used_until_every_entry_has_expired() {
        let mut debt = Debt::default();
        for user in 0..=MAX_OWED as i64 {
            debt.owe(user);
        }
        assert!(debt.owed.is_empty(), "the memory is bounded");
        assert_eq!(debt.begin_to_pay(), None);
        tokio::time::advance(ENTRY_TTL + LEASE_TTL).await;
        assert_eq!(debt.begin_to_pay(), Some(HashSet::new()));
    }

    #[test]
    fn only_the_preferences_of_that_user_are_an_answer() {
        let user = crate::models::id::PathId::parse("7").expect("a number").user().expect("above 0");
        let right = serde_json::to_vec(&Preferences::unset(user)).expect("serialises");
        assert!(is_answer_for(user, &right));
        let other = String::from_utf8(right.clone()).expect("text").replace("\"user_id\":7", "\"user_id\":8");
        for wrong in [b"".as_slice(), b"{}", b"null", b"\xff", other.as_bytes(), &right[..right.len() - 1]] {
            assert!(!is_answer_for(user, wrong), "{}", String::from_utf8_lossy(wrong));
        }
    }
}

//! Counters of this process, for the time in which Redis is away: several gateways then each allow the whole quota.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use super::{Algorithm, Count, Decision, Key, Quota, fixed_window, gcra};

/// Most clients that have a counter.
const MAX_CLIENTS: usize = 100_000;

/// The counters, shared by all workers.
pub struct LocalCounters {
    started: Instant,
    entries: Mutex<HashMap<Key, Entry>>,
}

/// Times are microseconds since the start.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// Requests in this window; not used by GCRA.
    count: u64,
    /// When the window ends or the bucket is full: then the entry means nothing any more.
    until: u64,
}

impl Default for LocalCounters {
    fn default() -> Self {
        Self { started: Instant::now(), entries: Mutex::default() }
    }
}

impl LocalCounters {
    /// Counts one request.
    pub fn check(&self, algorithm: Algorithm, quota: &Quota, key: &Key) -> Decision {
        self.check_at(algorithm, quota, key, self.started.elapsed().as_micros() as u64)
    }

    fn check_at(&self, algorithm: Algorithm, quota: &Quota, key: &Key, now: u64) -> Decision {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_CLIENTS {
            make_room(&mut entries, now);
        }
        let entry = entries.entry(key.clone()).or_default();
        if entry.until <= now {
            *entry = Entry::default();
        }
        match algorithm {
            Algorithm::FixedWindow => count_in_window(entry, quota, now),
            Algorithm::Gcra => count_in_bucket(entry, quota, now),
        }
    }
}

fn count_in_window(entry: &mut Entry, quota: &Quota, now: u64) -> Decision {
    if entry.until == 0 {
        entry.until = now + quota.window.as_micros() as u64;
    }
    entry.count += 1;
    let count: Count = (entry.count as i64, (entry.until - now).div_ceil(1000) as i64);
    fixed_window::decide(quota, count, 1, 0)
}

fn count_in_bucket(entry: &mut Entry, quota: &Quota, now: u64) -> Decision {
    let ahead = entry.until.saturating_sub(now);
    let decision = gcra::decide(quota, (gcra::available(quota, ahead) as i64, ahead as i64), 0);
    entry.until = now + decision.reset.as_micros() as u64;
    decision
}

/// Forgets whose window is over. When that is not half of them, all: so many clients are an attack, and looking through
/// them for each of its requests would help it.
fn make_room(entries: &mut HashMap<Key, Entry>, now: u64) {
    entries.retain(|_, entry| entry.until > now);
    if entries.len() > MAX_CLIENTS / 2 {
        entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::service::limiter::{Client, Policy};

    const QUOTA: Quota = Quota { max: 3, window: Duration::from_secs(60) };

    fn key(number: u32) -> Key {
        Key { policy: Policy::Default, client: Client::new(std::net::Ipv4Addr::from_bits(number).into(), 64) }
    }

    /// Whether requests at these seconds are allowed.
    fn allowed(algorithm: Algorithm, seconds: &[u64]) -> Vec<bool> {
        let counters = LocalCounters::default();
        let check = |second: &u64| counters.check_at(algorithm, &QUOTA, &key(1), second * 1_000_000).allowed;
        seconds.iter().map(check).collect()
    }

    #[test]
    fn a_window_ends_and_a_new_one_begins() {
        let seen = allowed(Algorithm::FixedWindow, &[10, 20, 30, 40, 69, 70, 71, 72, 73]);
        assert_eq!(seen, [true, true, true, false, false, true, true, true, false]);
    }

    #[test]
    fn a_bucket_fills_evenly() {
        let seen = allowed(Algorithm::Gcra, &[10, 10, 10, 10, 29, 30, 31, 49, 50, 300, 300, 300, 300]);
        assert_eq!(seen, [true, true, true, false, false, true, false, false, true, true, true, true, false]);
    }

    #[test]
    fn clients_beyond_the_most_that_are_remembered_are_counted_anew() {
        let counters = LocalCounters::default();
        for number in 0..=MAX_CLIENTS as u32 {
            assert!(counters.check_at(Algorithm::FixedWindow, &QUOTA, &key(number), 0).allowed);
        }
        assert!(counters.entries.lock().expect("not poisoned").len() <= MAX_CLIENTS);
    }
}

//! The rate limit: counters in Redis under `ratelimit:{client}`.
//!
//! Requests that arrive during a call to Redis are batched into the next one, which adds the number of requests of each
//! client. Redis adds atomically, so every request still gets a position of its own, and exactly the quota is allowed,
//! however many gateways share the counters.

mod client;
mod config;
mod counters;
mod fixed_window;
mod gcra;
mod local;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;

use crate::{
    database::redis::{RedisLink, call_span},
    lifecycle::Lifecycle,
};

pub use self::{
    client::{Client, Key},
    config::{Algorithm, Fallback, LimitBy, Policy, RateLimitConfig},
    local::LocalCounters,
};

/// Most requests that share one call.
const MAX_BATCH: usize = 512;

/// What a client may do in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests.
    pub max: u64,
    /// The time.
    pub window: Duration,
}

/// What a counter says after requests were added; [`Algorithm`] knows what the two numbers are.
type Count = (i64, i64);

/// The decision on one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is within the limit.
    pub allowed: bool,
    /// Requests allowed per window.
    pub limit: u64,
    /// Requests left.
    pub remaining: u64,
    /// Time until the whole quota is there again.
    pub reset: Duration,
    /// Time until a request is allowed again, when this one is not.
    pub retry_after: Duration,
}

impl Decision {
    /// [`Self::reset`] in whole seconds, rounded up.
    pub fn reset_seconds(&self) -> u64 {
        self.reset.as_millis().div_ceil(1000) as u64
    }

    /// [`Self::retry_after`] in whole seconds, rounded up.
    pub fn retry_after_seconds(&self) -> u64 {
        self.retry_after.as_millis().div_ceil(1000) as u64
    }
}

impl Algorithm {
    /// The decision on the request at `index` of `requests` that were added together.
    fn decide(self, quota: &Quota, count: Count, requests: usize, index: usize) -> Decision {
        match self {
            Self::FixedWindow => fixed_window::decide(quota, count, requests, index),
            Self::Gcra => gcra::decide(quota, count, index),
        }
    }
}

struct Request {
    key: Key,
    reply: oneshot::Sender<Option<Decision>>,
}

/// Passes requests to the task that counts them. Clones share the task.
#[derive(Clone)]
pub struct Limiter {
    config: RateLimitConfig,
    redis: RedisLink,
    requests: mpsc::UnboundedSender<Request>,
    /// What counts while Redis is away.
    local: Option<Arc<LocalCounters>>,
}

impl Limiter {
    /// Starts counting; must be called within the runtime that serves the requests. A request waits for two calls to
    /// `redis` at most: the one that is under way, and its own. `local` is used with [`Fallback::Local`].
    pub fn new(config: RateLimitConfig, redis: RedisLink, local: Arc<LocalCounters>, lifecycle: &Lifecycle) -> Self {
        // Unbounded, yet short: each connection has at most one request in it.
        let (sender, requests) = mpsc::unbounded_channel();
        lifecycle.spawn(count_in_batches(config.clone(), redis.clone(), requests));
        let local = (config.fallback == Fallback::Local).then_some(local);
        Self { config, redis, requests: sender, local }
    }

    /// Counts one request. `None` when Redis does not answer in time and nothing else counts: then it is allowed.
    pub async fn check(&self, key: Key) -> Option<Decision> {
        let decision = self.count_in_redis(key.clone()).await;
        let count_here =
            |local: &Arc<LocalCounters>| local.check(self.config.algorithm, &self.config.quota(key.policy), &key);
        decision.or_else(|| self.local.as_ref().map(count_here))
    }

    async fn count_in_redis(&self, key: Key) -> Option<Decision> {
        if !self.redis.is_up() {
            return None;
        }
        let (reply, decision) = oneshot::channel();
        self.requests.send(Request { key, reply }).ok()?;
        // The call itself is of many requests.
        decision.instrument(call_span()).await.ok().flatten()
    }
}

/// Ends when every [`Limiter`] is dropped.
async fn count_in_batches(config: RateLimitConfig, redis: RedisLink, mut requests: mpsc::UnboundedReceiver<Request>) {
    let mut batch = Vec::new();
    while requests.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let clients = group_by_client(&mut batch);
        let added: Vec<_> = clients.iter().map(|(key, waiters)| (key, waiters.len())).collect();
        let counts = counters::add(&redis, &config, &added).await;
        for (count, (key, waiters)) in counts.into_iter().zip(clients) {
            reply(&config, &key, count, waiters);
        }
    }
}

type Waiters = Vec<oneshot::Sender<Option<Decision>>>;

fn group_by_client(batch: &mut Vec<Request>) -> Vec<(Key, Waiters)> {
    let mut indices = HashMap::new();
    let mut clients: Vec<(Key, Waiters)> = Vec::new();
    for request in batch.drain(..) {
        let index = *indices.entry(request.key.clone()).or_insert_with(|| {
            clients.push((request.key, Vec::new()));
            clients.len() - 1
        });
        clients[index].1.push(request.reply);
    }
    clients
}

/// Tells each of the waiting requests its decision.
fn reply(config: &RateLimitConfig, key: &Key, count: Option<Count>, waiters: Waiters) {
    let (quota, requests) = (config.quota(key.policy), waiters.len());
    for (index, request) in waiters.into_iter().enumerate() {
        let decision = count.map(|count| config.algorithm.decide(&quota, count, requests, index));
        // A client that has hung up no longer waits.
        let _ = request.send(decision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_grouped_by_client_and_policy_in_the_order_they_came() {
        let request = |ip: [u8; 4], policy| {
            let key = Key { policy, client: Client::new(ip.into(), 64) };
            Request { key, reply: oneshot::channel().0 }
        };
        let mut batch = vec![
            request([1, 1, 1, 1], Policy::Default),
            request([2, 2, 2, 2], Policy::Default),
            request([1, 1, 1, 1], Policy::Admin),
            request([1, 1, 1, 1], Policy::Default),
        ];
        let groups = group_by_client(&mut batch);
        let groups: Vec<_> = groups.iter().map(|(key, waiters)| (key.to_string(), waiters.len())).collect();
        let expected = [("1.1.1.1", 2), ("2.2.2.2", 1), ("admin:1.1.1.1", 1)];
        assert_eq!(groups, expected.map(|(key, requests)| (key.to_owned(), requests)));
    }
}

//! The rate limit: fixed windows counted in Redis under `ratelimit:{client}`.
//!
//! Requests that arrive during a call to Redis are batched into the next one, which adds the number of requests of each
//! client. Redis adds atomically, so every request still gets a position of its own in its window, and exactly
//! `RATE_LIMIT_MAX` of them are allowed, however many gateways share the counters.

mod client;
mod counters;

use std::{collections::HashMap, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{config::RateLimitConfig, database::redis::RedisLink, lifecycle::Lifecycle};

pub use self::client::Client;
use self::counters::Count;

/// Most requests that share one call.
const MAX_BATCH: usize = 512;

/// The decision on one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is within the limit.
    pub allowed: bool,
    /// Requests allowed per window.
    pub limit: u64,
    /// Requests left in this window.
    pub remaining: u64,
    /// Whole seconds until the window ends, rounded up.
    pub reset_seconds: u64,
}

struct Request {
    client: Client,
    reply: oneshot::Sender<Option<Decision>>,
}

/// Passes requests to the task that counts them. Clones share the task.
#[derive(Clone)]
pub struct Limiter {
    requests: mpsc::UnboundedSender<Request>,
    /// Longest wait of a request, also for the call before the one that counts it.
    timeout: Duration,
}

impl Limiter {
    /// Starts counting; must be called within the runtime that serves the requests. None of them waits longer than
    /// `timeout`.
    pub fn new(config: RateLimitConfig, timeout: Duration, redis: RedisLink, lifecycle: &Lifecycle) -> Self {
        // Unbounded, yet short: each connection has at most one request in it.
        let (sender, requests) = mpsc::unbounded_channel();
        lifecycle.spawn(count_in_batches(config, redis, requests));
        Self { requests: sender, timeout }
    }

    /// Counts one request; `None` when Redis does not answer in time, and the request is allowed.
    pub async fn check(&self, client: Client) -> Option<Decision> {
        let (reply, decision) = oneshot::channel();
        self.requests.send(Request { client, reply }).ok()?;
        timeout(self.timeout, decision).await.ok()?.ok().flatten()
    }
}

/// Ends when every [`Limiter`] is dropped.
async fn count_in_batches(config: RateLimitConfig, redis: RedisLink, mut requests: mpsc::UnboundedReceiver<Request>) {
    let mut batch = Vec::new();
    while requests.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let clients = group_by_client(&mut batch);
        let counters: Vec<_> = clients.iter().map(|(client, waiters)| (client.key(), waiters.len())).collect();
        let counts = counters::increment(&redis, config.window.as_millis() as u64, &counters).await;
        for (count, (_, waiters)) in counts.into_iter().zip(clients) {
            reply(&config, count, waiters);
        }
    }
}

type Waiters = Vec<oneshot::Sender<Option<Decision>>>;

fn group_by_client(batch: &mut Vec<Request>) -> Vec<(Client, Waiters)> {
    let mut indices = HashMap::new();
    let mut clients: Vec<(Client, Waiters)> = Vec::new();
    for request in batch.drain(..) {
        let index = *indices.entry(request.client).or_insert_with(|| {
            clients.push((request.client, Vec::new()));
            clients.len() - 1
        });
        clients[index].1.push(request.reply);
    }
    clients
}

/// Decides on each of the waiting requests: the last of them has the position that the counter shows.
fn reply(config: &RateLimitConfig, count: Option<Count>, waiters: Waiters) {
    let before = count.map(|(after, _)| u64::try_from(after).unwrap_or(u64::MAX).saturating_sub(waiters.len() as u64));
    for (index, request) in waiters.into_iter().enumerate() {
        let decision = before.zip(count).map(|(before, (_, millis))| {
            let position = before.saturating_add(index as u64 + 1);
            let left = Duration::from_millis(millis.max(0) as u64).min(config.window);
            Decision {
                allowed: position <= config.max,
                limit: config.max,
                remaining: config.max.saturating_sub(position),
                reset_seconds: left.as_millis().div_ceil(1000) as u64,
            }
        });
        // A client that has hung up no longer waits.
        let _ = request.send(decision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: RateLimitConfig = RateLimitConfig { max: 5, window: Duration::from_secs(60), ipv6_prefix: 64 };

    fn decisions(count: Option<(i64, i64)>, requests: usize) -> Vec<Option<Decision>> {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..requests).map(|_| oneshot::channel()).unzip();
        reply(&CONFIG, count, senders);
        receivers.into_iter().map(|mut receiver| receiver.try_recv().expect("answered")).collect()
    }

    #[test]
    fn requests_that_share_a_call_have_positions_of_their_own() {
        let seen = decisions(Some((7, 1500)), 4);
        let seen: Vec<_> = seen.into_iter().flatten().map(|v| (v.allowed, v.remaining, v.reset_seconds)).collect();
        assert_eq!(seen, [(true, 1, 2), (true, 0, 2), (false, 0, 2), (false, 0, 2)]);
    }

    #[test]
    fn without_redis_requests_pass() {
        assert_eq!(decisions(None, 2), [None, None]);
    }

    #[test]
    fn the_reset_stays_within_the_window() {
        for (millis, seconds) in [(-1, 0), (0, 0), (1, 1), (60_000, 60), (999_999, 60)] {
            assert_eq!(decisions(Some((1, millis)), 1)[0].map(|decision| decision.reset_seconds), Some(seconds));
        }
    }

    #[test]
    fn requests_are_grouped_by_client_in_the_order_they_came() {
        let request = |ip: [u8; 4]| Request { client: Client::new(ip.into(), 64), reply: oneshot::channel().0 };
        let mut batch = vec![request([1, 1, 1, 1]), request([2, 2, 2, 2]), request([1, 1, 1, 1])];
        let groups: Vec<_> =
            group_by_client(&mut batch).iter().map(|(client, waiters)| (client.key(), waiters.len())).collect();
        assert_eq!(groups, [("ratelimit:1.1.1.1".to_owned(), 2), ("ratelimit:2.2.2.2".to_owned(), 1)]);
    }
}

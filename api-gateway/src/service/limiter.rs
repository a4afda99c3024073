//! The rate limit: fixed windows counted in Redis under `ratelimit:{ip}`.
//!
//! Requests that arrive during a call to Redis are batched into the next one, which adds the number of requests of each
//! client. Redis adds atomically, so every request still gets a position of its own in its window, and exactly
//! `RATE_LIMIT_MAX` of them are allowed, however many gateways share the counters.

use std::{collections::HashMap, net::IpAddr, sync::LazyLock, time::Duration};

use redis::Script;
use tokio::sync::{mpsc, oneshot};

use crate::{config::RateLimitConfig, database::redis::RedisLink, lifecycle::Lifecycle};

/// Most requests that share one call.
const MAX_BATCH: usize = 512;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("rate_limit.lua")));

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
    ip: IpAddr,
    reply: oneshot::Sender<Option<Decision>>,
}

/// Passes requests to the task that counts them. Clones share the task.
#[derive(Clone)]
pub struct Limiter(mpsc::UnboundedSender<Request>);

impl Limiter {
    /// Starts counting; must be called within the runtime that serves the requests.
    pub fn new(config: RateLimitConfig, redis: RedisLink, lifecycle: &Lifecycle) -> Self {
        // Unbounded, yet short: each connection has at most one request in it.
        let (sender, requests) = mpsc::unbounded_channel();
        lifecycle.spawn(count_in_batches(config, redis, requests));
        Self(sender)
    }

    /// Counts one request; `None` when Redis does not answer, and the request is allowed.
    pub async fn check(&self, ip: IpAddr) -> Option<Decision> {
        let (reply, decision) = oneshot::channel();
        self.0.send(Request { ip, reply }).ok()?;
        decision.await.ok().flatten()
    }
}

/// Ends when every [`Limiter`] is dropped.
async fn count_in_batches(config: RateLimitConfig, redis: RedisLink, mut requests: mpsc::UnboundedReceiver<Request>) {
    let mut batch = Vec::new();
    while requests.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let clients = group_by_client(&mut batch);
        let counts = increment(&config, &redis, &clients).await;
        for (index, (_, waiters)) in clients.into_iter().enumerate() {
            let count = counts.as_ref().and_then(|counts| Some((*counts.get(2 * index)?, *counts.get(2 * index + 1)?)));
            reply(&config, count, waiters);
        }
    }
}

type Waiters = Vec<oneshot::Sender<Option<Decision>>>;

fn group_by_client(batch: &mut Vec<Request>) -> Vec<(IpAddr, Waiters)> {
    let mut indices = HashMap::new();
    let mut clients: Vec<(IpAddr, Waiters)> = Vec::new();
    for request in batch.drain(..) {
        let index = *indices.entry(request.ip).or_insert_with(|| {
            clients.push((request.ip, Vec::new()));
            clients.len() - 1
        });
        clients[index].1.push(request.reply);
    }
    clients
}

/// Count and remaining milliseconds for each client, or `None` without Redis.
async fn increment(config: &RateLimitConfig, redis: &RedisLink, clients: &[(IpAddr, Waiters)]) -> Option<Vec<i64>> {
    let mut call = SCRIPT.prepare_invoke();
    call.arg(config.window.as_millis() as u64);
    for (ip, waiters) in clients {
        call.key(format!("ratelimit:{ip}")).arg(waiters.len());
    }
    redis.run(async |connection| call.invoke_async(connection).await).await.ok()
}

/// Decides on each of the waiting requests: the last of them has the position that the counter shows.
fn reply(config: &RateLimitConfig, count: Option<(i64, i64)>, waiters: Waiters) {
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

    const CONFIG: RateLimitConfig = RateLimitConfig { max: 5, window: Duration::from_secs(60) };

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
        let request = |ip: [u8; 4]| Request { ip: ip.into(), reply: oneshot::channel().0 };
        let mut batch = vec![request([1, 1, 1, 1]), request([2, 2, 2, 2]), request([1, 1, 1, 1])];
        let groups: Vec<_> =
            group_by_client(&mut batch).iter().map(|(ip, waiters)| (ip.to_string(), waiters.len())).collect();
        assert_eq!(groups, [("1.1.1.1".to_owned(), 2), ("2.2.2.2".to_owned(), 1)]);
    }
}

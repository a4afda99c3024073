//! A circuit breaker: a peer that is down or hung costs a few requests one time limit each, and then very little.
//!
//! Own code, since what matters here is what libraries leave out: while the breaker is open, each request that would go
//! without the peer first asks for a probe, so that the first one after the peer is back is served in full.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::metrics::metrics;

/// Failures in a row after which the peer counts as down.
const FAILURES_TO_OPEN: u32 = 3;
/// Longest time that a request waits for a probe, from the start of the probe: ample for a peer that is well again.
const PROBE_WAIT: Duration = Duration::from_millis(200);
/// While a probe is without answer, the next one is sent after this time, over another connection.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// Counts failures of one peer.
#[derive(Debug)]
pub struct CircuitBreaker {
    peer: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    is_open: bool,
    probe: Option<Probe>,
}

/// The newest probe.
#[derive(Debug, Clone)]
struct Probe {
    started: Instant,
    /// Cancelled when the probe has ended, however it ended.
    ended: CancellationToken,
}

impl CircuitBreaker {
    /// A closed one; `peer` is its name in the log.
    pub fn new(peer: &'static str) -> Self {
        // So that it is shown before it opens for the first time.
        metrics().open_breakers(peer);
        Self { peer, state: Mutex::default() }
    }

    /// Whether the peer counts as down.
    pub fn is_open(&self) -> bool {
        self.lock().is_open
    }

    /// Notes that the peer answered.
    pub fn record_success(&self) {
        let mut state = self.lock();
        state.failures = 0;
        if std::mem::take(&mut state.is_open) {
            metrics().open_breakers(self.peer).dec();
            tracing::info!(peer = self.peer, "the peer is back");
        }
    }

    /// Notes that the peer did not answer, or not usefully.
    pub fn record_failure(&self) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_TO_OPEN && !state.is_open {
            state.is_open = true;
            metrics().open_breakers(self.peer).inc();
            tracing::warn!(peer = self.peer, "the peer does not answer; going on without it until it is back");
        }
    }

    /// Whether the peer may be asked. While the breaker is open, this waits for a probe, at most [`PROBE_WAIT`] from its
    /// start; requests share one. `start_probe` is called when there is none: it must send the probe in a task, record a
    /// success, and drop the guard at the end.
    pub async fn allows_request(&self, start_probe: impl FnOnce(DropGuard)) -> bool {
        if !self.is_open() {
            return true;
        }
        let (probe, guard) = self.current_probe();
        if let Some(guard) = guard {
            start_probe(guard);
        }
        let _ = timeout_at(probe.started + PROBE_WAIT, probe.ended.cancelled()).await;
        !self.is_open()
    }

    /// The probe under way, or else a new one with the guard that ends it.
    fn current_probe(&self) -> (Probe, Option<DropGuard>) {
        let mut state = self.lock();
        if let Some(probe) = &state.probe
            && !probe.ended.is_cancelled()
            && probe.started.elapsed() < PROBE_INTERVAL
        {
            return (probe.clone(), None);
        }
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        let probe = Probe { started: Instant::now(), ended };
        state.probe = Some(probe.clone());
        (probe, Some(guard))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> CircuitBreaker {
        let breaker = CircuitBreaker::new("peer");
        for _ in 0..FAILURES_TO_OPEN {
            breaker.record_failure();
        }
        breaker
    }

    #[tokio::test]
    async fn three_failures_in_a_row_open_it_and_fewer_do_not() {
        let breaker = CircuitBreaker::new("peer");
        for _ in 0..2 {
            breaker.record_failure();
            breaker.record_failure();
            breaker.record_success();
        }
        assert!(breaker.allows_request(|_| panic!("no probe is needed")).await);
        for _ in 0..3 {
            breaker.record_failure();
        }
        assert!(breaker.is_open());
    }

    #[tokio::test]
    async fn the_first_request_after_the_peer_is_back_is_allowed() {
        let breaker = open();
        for _ in 0..3 {
            assert!(!breaker.allows_request(drop).await, "a probe that failed");
        }
        assert!(breaker.allows_request(|_guard| breaker.record_success()).await);
        assert!(!breaker.is_open());
    }

    #[tokio::test]
    async fn only_requests_of_its_first_moments_wait_for_a_probe_without_answer() {
        let breaker = open();
        let (mut guards, started) = (Vec::new(), Instant::now());
        for _ in 0..100 {
            assert!(!breaker.allows_request(|guard| guards.push(guard)).await);
        }
        assert_eq!(guards.len(), 1);
        assert!((PROBE_WAIT..PROBE_INTERVAL).contains(&started.elapsed()), "{:?}", started.elapsed());
        tokio::time::sleep(PROBE_INTERVAL).await;
        assert!(!breaker.allows_request(|guard| guards.push(guard)).await);
        assert_eq!(guards.len(), 2, "the next one does not wait for the end of the first");
    }

    #[tokio::test]
    async fn requests_share_a_probe_and_all_learn_its_end() {
        let breaker = open();
        let (_, guard) = breaker.current_probe();
        let waiting = breaker.allows_request(|_| panic!("there is a probe already"));
        let answer = async {
            breaker.record_success();
            drop(guard);
        };
        let (allowed, ()) = tokio::join!(waiting, answer);
        assert!(allowed);
    }
}

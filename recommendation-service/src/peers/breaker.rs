//! A circuit breaker: a peer that is down or hung costs a few requests one time limit each, and then one a second.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// Failures in a row after which the peer counts as down.
const FAILURES_TO_OPEN: u32 = 3;
/// How long nobody asks a peer that is down, before one request probes it.
const PAUSE: Duration = Duration::from_secs(1);

/// Counts failures of one peer.
#[derive(Debug, Default)]
pub struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Set while the peer counts as down: when it may be probed.
    probe_at: Option<Instant>,
    probing: bool,
}

/// Leave to ask the peer; say how it went. Dropped without that (the client hung up), it changes nothing.
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    /// Leave to ask, unless the peer is down and its next probe is not due or under way.
    pub fn permit(&self) -> Option<Permit<'_>> {
        let mut state = self.lock();
        let is_probe = match state.probe_at {
            None => false,
            Some(at) if !state.probing && Instant::now() >= at => true,
            Some(_) => return None,
        };
        state.probing |= is_probe;
        Some(Permit { breaker: self, is_probe })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The peer answered.
    pub fn succeeded(self) {
        let mut state = self.breaker.lock();
        state.failures = 0;
        if state.probe_at.take().is_some() {
            tracing::info!("user-preference-service is back");
        }
    }

    /// The peer did not answer, or not usefully.
    pub fn failed(self) {
        let mut state = self.breaker.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_TO_OPEN {
            if state.probe_at.is_none() {
                tracing::warn!("user-preference-service does not answer; recommendations are general until it is back");
            }
            state.probe_at = Some(Instant::now() + PAUSE);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.lock().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit(breaker: &Breaker) -> Permit<'_> {
        breaker.permit().expect("leave to ask")
    }

    #[test]
    fn three_failures_in_a_row_open_it_and_fewer_do_not() {
        let breaker = Breaker::default();
        permit(&breaker).failed();
        permit(&breaker).failed();
        permit(&breaker).succeeded();
        for _ in 0..3 {
            permit(&breaker).failed();
        }
        assert!(breaker.permit().is_none());
    }

    #[test]
    fn one_probe_at_a_time_and_a_dropped_one_makes_room() {
        let breaker = Breaker::default();
        for _ in 0..3 {
            permit(&breaker).failed();
        }
        breaker.lock().probe_at = Some(Instant::now());
        let probe = permit(&breaker);
        assert!(breaker.permit().is_none());
        drop(probe);
        let probe = permit(&breaker);
        probe.failed();
        assert!(breaker.permit().is_none(), "a failed probe starts the pause again");
        breaker.lock().probe_at = Some(Instant::now());
        permit(&breaker).succeeded();
        let (_first, _second) = (permit(&breaker), permit(&breaker));
    }
}

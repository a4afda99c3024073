//! One address of a service: its load, and whether it is in use. An address that fails several times in a row is ejected
//! for a while (passive), one that fails its health checks until it passes one again (active).

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use axum::http::{HeaderValue, uri::Authority};
use tokio::time::Instant;

/// Failures in a row that eject an address.
const FAILURES_TO_EJECT: u32 = 5;
/// How long the first time; it doubles each time after that.
const FIRST_EJECTION: Duration = Duration::from_secs(1);
const LONGEST_EJECTION: Duration = Duration::from_secs(30);

/// One address of a service, shared by all workers.
pub struct Endpoint {
    /// Host and port.
    pub authority: Authority,
    /// The same as the value of `Host`.
    pub host: HeaderValue,
    /// Requests whose response has not ended.
    pub in_flight: AtomicUsize,
    is_healthy: AtomicBool,
    failures: AtomicU32,
    ejections: AtomicU32,
    /// In milliseconds since `started`; 0 when it was never ejected.
    ejected_until: AtomicU64,
    started: Instant,
}

impl Endpoint {
    /// An address that is in use.
    pub fn new(authority: Authority) -> Self {
        Self {
            host: HeaderValue::from_str(authority.as_str()).expect("an authority is ASCII"),
            authority,
            in_flight: AtomicUsize::new(0),
            is_healthy: AtomicBool::new(true),
            failures: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    /// Whether requests should go there.
    pub fn is_usable(&self) -> bool {
        self.is_healthy.load(Ordering::Relaxed) && self.ejected_until.load(Ordering::Relaxed) <= self.now()
    }

    /// Notes that it responded.
    pub fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Notes that it gave no response.
    pub fn failed(&self) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 < FAILURES_TO_EJECT {
            return;
        }
        self.failures.store(0, Ordering::Relaxed);
        let (now, longest) = (self.now(), LONGEST_EJECTION.as_millis() as u64);
        // After a long good time it begins anew.
        if self.ejected_until.load(Ordering::Relaxed) + longest < now {
            self.ejections.store(0, Ordering::Relaxed);
        }
        let doublings = self.ejections.fetch_add(1, Ordering::Relaxed).min(10);
        let pause = ((FIRST_EJECTION.as_millis() as u64) << doublings).min(longest);
        self.ejected_until.store(now + pause, Ordering::Relaxed);
        tracing::warn!(address = %self.authority, pause_ms = pause, "an address of a service fails; it is left out");
    }

    /// Notes the result of a health check.
    pub fn set_healthy(&self, is_healthy: bool) {
        if self.is_healthy.swap(is_healthy, Ordering::Relaxed) != is_healthy {
            tracing::warn!(address = %self.authority, is_healthy, "the health of an address has changed");
        }
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(endpoint: &Endpoint) {
        (0..FAILURES_TO_EJECT).for_each(|_| endpoint.failed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_fails_is_left_out_for_a_growing_time() {
        let endpoint = Endpoint::new(Authority::from_static("a:1"));
        (1..FAILURES_TO_EJECT).for_each(|_| endpoint.failed());
        endpoint.succeeded();
        (1..FAILURES_TO_EJECT).for_each(|_| endpoint.failed());
        assert!(endpoint.is_usable(), "never enough failures in a row");
        endpoint.succeeded();
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            fail(&endpoint);
            tokio::time::advance(Duration::from_secs(pause) - Duration::from_millis(1)).await;
            assert!(!endpoint.is_usable(), "{pause}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(endpoint.is_usable(), "{pause}");
        }
        tokio::time::advance(LONGEST_EJECTION * 2).await;
        fail(&endpoint);
        tokio::time::advance(FIRST_EJECTION).await;
        assert!(endpoint.is_usable());
    }

    #[test]
    fn an_address_that_fails_its_health_check_is_left_out_until_it_passes() {
        let endpoint = Endpoint::new(Authority::from_static("a:1"));
        endpoint.set_healthy(false);
        assert!(!endpoint.is_usable());
        endpoint.set_healthy(true);
        assert!(endpoint.is_usable());
    }
}

//! A circuit breaker: while a service fails again and again, requests are refused at once instead of waiting for the same.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;

use crate::metrics::metrics;

/// How long the circuit stays open at first; it doubles with each probe that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The breaker of one service, shared by all workers.
pub struct Breaker {
    service: &'static str,
    /// Failures in a row that open the circuit.
    threshold: u32,
    failures: AtomicU32,
    /// Whether `open` holds something, for a look without the lock.
    is_open: AtomicBool,
    open: Mutex<Option<Open>>,
    /// 1 while `open` holds something.
    shown: Gauge,
}

struct Open {
    until: Instant,
    pause: Duration,
    /// The circuit is half-open: one request finds out whether the service is back.
    probing: bool,
}

/// The circuit is open; a request may be worth while after this time.
#[derive(Debug, PartialEq, Eq)]
pub struct CircuitOpen(pub Duration);

/// Leave to send a request. Tell it how the request went; one that is dropped has found out nothing.
pub struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    /// The closed circuit of `service`, which `threshold` failures in a row open.
    pub fn new(service: &'static str, threshold: u32) -> Self {
        let (failures, is_open, shown) = (AtomicU32::new(0), AtomicBool::new(false), metrics().open_breakers(service));
        Self { service, threshold, failures, is_open, open: Mutex::new(None), shown }
    }

    /// Leave to send a request.
    ///
    /// # Errors
    /// [`CircuitOpen`] when the service is not to be asked now.
    pub fn admit(&self) -> Result<Permit<'_>, CircuitOpen> {
        if !self.is_open.load(Ordering::Acquire) {
            return Ok(Permit { breaker: self, is_probe: false });
        }
        match &mut *self.lock() {
            None => Ok(Permit { breaker: self, is_probe: false }),
            Some(open) if open.until > Instant::now() => Err(CircuitOpen(open.until - Instant::now())),
            Some(open) if open.probing => Err(CircuitOpen(FIRST_PAUSE)),
            Some(open) => {
                open.probing = true;
                Ok(Permit { breaker: self, is_probe: true })
            }
        }
    }

    fn open(&self, is_probe: bool) {
        let mut open = self.lock();
        let pause = match &*open {
            // Requests that were sent before it opened tell nothing new.
            Some(_) if !is_probe => return,
            Some(open) => (open.pause * 2).min(LONGEST_PAUSE),
            None => FIRST_PAUSE,
        };
        *open = Some(Open { until: Instant::now() + pause, pause, probing: false });
        self.is_open.store(true, Ordering::Release);
        self.shown.set(1);
        tracing::warn!(
            service = self.service,
            ?pause,
            "a service fails again and again: requests to it are refused for a while"
        );
    }

    fn close(&self) {
        self.is_open.store(false, Ordering::Release);
        *self.lock() = None;
        self.shown.set(0);
        tracing::info!(service = self.service, "a service answers again");
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The service responded.
    pub fn succeeded(mut self) {
        if self.breaker.failures.load(Ordering::Relaxed) != 0 {
            self.breaker.failures.store(0, Ordering::Relaxed);
        }
        if std::mem::take(&mut self.is_probe) {
            self.breaker.close();
        }
    }

    /// The service gave no response.
    pub fn failed(mut self) {
        let failures = self.breaker.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_probe || failures >= self.breaker.threshold {
            self.breaker.open(std::mem::take(&mut self.is_probe));
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe
            && let Some(open) = &mut *self.breaker.lock()
        {
            open.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.admit().expect("the circuit is closed").failed();
        }
    }

    fn refused_for(breaker: &Breaker) -> Option<u64> {
        breaker.admit().err().map(|open| open.0.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_the_circuit_and_others_do_not() {
        let breaker = Breaker::new("three", 3);
        fail(&breaker, 2);
        breaker.admit().expect("closed").succeeded();
        fail(&breaker, 2);
        assert_eq!(refused_for(&breaker), None);
        fail(&breaker, 1);
        assert_eq!(refused_for(&breaker), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_at_a_time_probes_a_half_open_circuit_and_a_response_closes_it() {
        let (breaker, shown) = (Breaker::new("half-open", 1), metrics().open_breakers("half-open"));
        assert_eq!(shown.get(), 0);
        fail(&breaker, 1);
        assert_eq!(shown.get(), 1);
        tokio::time::advance(FIRST_PAUSE).await;
        let probe = breaker.admit().expect("half-open");
        assert_eq!(refused_for(&breaker), Some(1));
        // Its client hung up.
        drop(probe);
        let probe = breaker.admit().expect("still half-open");
        probe.succeeded();
        assert!(breaker.admit().is_ok() && breaker.admit().is_ok());
        assert_eq!(shown.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_grows_while_probes_fail() {
        let breaker = Breaker::new("one", 1);
        fail(&breaker, 1);
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(refused_for(&breaker), Some(pause));
            tokio::time::advance(Duration::from_secs(pause)).await;
            breaker.admit().expect("half-open").failed();
        }
    }
}

//! What all workers know of one service: its addresses, its load, and whether it may be asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::uri::Authority;
use rand::RngExt;
use tokio::time::Instant;

use crate::{config::UpstreamsConfig, routing::Priority};

use super::{
    breaker::{Breaker, CircuitOpen, Permit},
    endpoint::Endpoint,
    retry_budget::RetryBudget,
};

/// `down_since` of a service that no request has reached yet.
const NEVER_REACHED: u64 = u64::MAX;

/// One service.
pub struct Service {
    endpoints: Vec<Endpoint>,
    /// Whether it may be asked at all.
    breaker: Breaker,
    /// Requests that may be sent again.
    pub retries: RetryBudget,
    in_flight: AtomicUsize,
    max_in_flight: usize,
    /// How long a request waits for a service that has just gone away.
    restart_wait: Duration,
    /// In milliseconds since `started`: when nobody listened any more; 0 while somebody does.
    down_since: AtomicU64,
    started: Instant,
}

/// Why a request is not even tried.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The service fails again and again.
    CircuitOpen(CircuitOpen),
    /// It has as much to do as it may.
    Overloaded,
}

impl Service {
    /// The service `name` at `addresses`, of which there is at least one.
    pub fn new(name: &'static str, addresses: &[Authority], config: &UpstreamsConfig) -> Self {
        Self {
            endpoints: addresses.iter().cloned().map(Endpoint::new).collect(),
            breaker: Breaker::new(name, config.breaker_failures),
            retries: RetryBudget::new(config.retry_percent),
            in_flight: AtomicUsize::new(0),
            max_in_flight: config.max_in_flight,
            restart_wait: config.restart_wait,
            down_since: AtomicU64::new(NEVER_REACHED),
            started: Instant::now(),
        }
    }

    /// Its addresses.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Leave to send a request, and its place in the load.
    ///
    /// # Errors
    /// [`Refusal`] when it has to be answered without the service.
    pub fn admit(self: &Arc<Self>, priority: Priority) -> Result<(Permit<'_>, Load), Refusal> {
        let limit = match priority {
            Priority::Low => (self.max_in_flight / 2).max(1),
            Priority::Normal => self.max_in_flight,
        };
        let load = Load::new(self);
        if self.in_flight.load(Ordering::Relaxed) > limit {
            return Err(Refusal::Overloaded);
        }
        Ok((self.breaker.admit().map_err(Refusal::CircuitOpen)?, load))
    }

    /// The less loaded one of two usable addresses chosen at random; never `avoid` when there is another one. When no
    /// address is usable, all are: a guess is better than a certain error.
    pub fn choose(&self, avoid: Option<usize>) -> usize {
        let all = 0..self.endpoints.len();
        if all.len() == 1 {
            return 0;
        }
        let others = || all.clone().filter(|index| Some(*index) != avoid);
        let usable: Vec<_> = others().filter(|index| self.endpoints[*index].is_usable()).collect();
        let candidates = if usable.is_empty() { others().collect() } else { usable };
        let mut random = rand::rng();
        let mut any = || candidates[random.random_range(0..candidates.len())];
        let load = |index: &usize| self.endpoints[*index].in_flight.load(Ordering::Relaxed);
        let (first, second) = (any(), any());
        if load(&second) < load(&first) { second } else { first }
    }

    /// Notes that it responded.
    pub fn reached(&self) {
        if self.down_since.load(Ordering::Relaxed) != 0 {
            self.down_since.store(0, Ordering::Relaxed);
        }
    }

    /// Notes that nobody listens, and says whether that may be a restart: then the next try is worth waiting for. A service
    /// that was never there, or is away for longer, is not waited for.
    pub fn may_be_restarting(&self) -> bool {
        let now = (self.started.elapsed().as_millis() as u64).max(1);
        let _ = self.down_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let since = self.down_since.load(Ordering::Relaxed);
        since != NEVER_REACHED && u128::from(now.saturating_sub(since)) < self.restart_wait.as_millis()
    }
}

/// The place of one request in the load, until its response has ended.
pub struct Load {
    service: Arc<Service>,
    endpoint: Option<usize>,
}

impl Load {
    fn new(service: &Arc<Service>) -> Self {
        service.in_flight.fetch_add(1, Ordering::Relaxed);
        Self { service: service.clone(), endpoint: None }
    }

    /// Notes the address that the request goes to now.
    pub fn move_to(&mut self, endpoint: usize) {
        self.leave_endpoint();
        self.service.endpoints[endpoint].in_flight.fetch_add(1, Ordering::Relaxed);
        self.endpoint = Some(endpoint);
    }

    fn leave_endpoint(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            self.service.endpoints[endpoint].in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.leave_endpoint();
        self.service.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, env::Env};

    use super::*;

    fn service(addresses: &[&'static str], settings: &'static [(&'static str, &'static str)]) -> Arc<Service> {
        let lookup =
            move |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let config = Config::from_env(Env::from_fn(lookup)).expect("legal settings");
        let addresses: Vec<_> = addresses.iter().map(|address| Authority::from_static(address)).collect();
        Arc::new(Service::new("movie-service", &addresses, &config.upstreams))
    }

    #[test]
    fn the_less_loaded_address_is_chosen_and_one_to_avoid_never() {
        let service = service(&["a:1", "b:1", "c:1"], &[]);
        let mut loads: Vec<_> = (0..5).map(|_| Load::new(&service)).collect();
        loads.iter_mut().for_each(|load| load.move_to(0));
        let chosen: Vec<_> = (0..900).map(|_| service.choose(None)).collect();
        let times = |index: usize| chosen.iter().filter(|chosen| **chosen == index).count();
        // Only when both choices fall on it: a ninth.
        assert!(times(0) < times(1) / 2 && times(0) < times(2) / 2, "{} {} {}", times(0), times(1), times(2));
        assert!((0..100).all(|_| service.choose(Some(1)) != 1));
        drop(loads);
        assert!(service.endpoints.iter().all(|endpoint| endpoint.in_flight.load(Ordering::Relaxed) == 0));
    }

    #[test]
    fn unusable_addresses_are_left_out_unless_there_is_no_other() {
        let service = service(&["a:1", "b:1"], &[]);
        service.endpoints[0].set_healthy(false);
        assert!((0..100).all(|_| service.choose(None) == 1));
        service.endpoints[1].set_healthy(false);
        assert!((0..100).any(|_| service.choose(None) == 0));
    }

    #[test]
    fn requests_of_low_priority_are_refused_first() {
        let service = service(&["a:1"], &[("UPSTREAM_MAX_CONCURRENT", "4")]);
        let mut loads: Vec<_> = (0..2).map(|_| service.admit(Priority::Low).expect("half of it is free").1).collect();
        assert_eq!(service.admit(Priority::Low).err(), Some(Refusal::Overloaded));
        loads.extend((0..2).map(|_| service.admit(Priority::Normal).expect("the other half is").1));
        assert_eq!(service.admit(Priority::Normal).err(), Some(Refusal::Overloaded));
        loads.pop();
        assert!(service.admit(Priority::Normal).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_service_that_was_there_a_moment_ago_may_be_restarting() {
        let service = service(&["a:1"], &[("UPSTREAM_RESTART_WAIT_MS", "2000")]);
        assert!(!service.may_be_restarting(), "it was never there");
        service.reached();
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(service.may_be_restarting());
        tokio::time::advance(Duration::from_millis(1999)).await;
        assert!(service.may_be_restarting());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!service.may_be_restarting());
        service.reached();
        assert!(service.may_be_restarting());
    }
}

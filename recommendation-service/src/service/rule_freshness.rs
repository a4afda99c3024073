//! When a replica's copy of the rules may be used, so that an acknowledged change is in effect on every replica, although
//! replicas do not know each other and no request reads the rules.
//!
//! A copy may be used for [`MAX_AGE`] from the moment its read began; then a request waits until it was read again. Whoever
//! changes a rule acknowledges it [`ACKNOWLEDGE_AFTER`] the commit. So a copy that is used after the acknowledgement was read
//! after the commit. (The idea of leases: Gray and Cheriton, SOSP 1989.) Only durations count, so clocks need not agree.

use std::time::Duration;

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

/// How long a copy may be used.
pub const MAX_AGE: Duration = Duration::from_millis(100);
/// How long after its commit a change is acknowledged. Longer than [`MAX_AGE`], as clocks run at different speeds.
pub const ACKNOWLEDGE_AFTER: Duration = Duration::from_millis(150);
/// Longest wait of a request; afterwards it uses the last copy, as when PostgreSQL is away.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// What is known of the copy.
#[derive(Debug, Clone, Copy)]
enum State {
    /// The read that it is from began then.
    ReadAt(Instant),
    /// It cannot be read now: the last one stays in use and nobody waits.
    Unreadable,
}

impl State {
    fn is_usable(self, now: Instant) -> bool {
        match self {
            Self::ReadAt(began) => began + MAX_AGE >= now,
            Self::Unreadable => true,
        }
    }
}

/// The age of a copy, and who wants a newer one.
#[derive(Debug)]
pub struct RuleFreshness {
    state: watch::Sender<State>,
    wanted: Notify,
}

impl RuleFreshness {
    /// Of a copy whose read began then.
    pub fn new(began: Instant) -> Self {
        Self { state: watch::Sender::new(State::ReadAt(began)), wanted: Notify::new() }
    }

    /// Returns when the copy may be used.
    pub async fn usable(&self) {
        let now = Instant::now();
        let state = *self.state.borrow();
        // In good time, so that under load nobody waits.
        if matches!(state, State::ReadAt(began) if began + MAX_AGE / 2 < now) {
            self.wanted.notify_one();
        }
        if !state.is_usable(now) {
            let mut states = self.state.subscribe();
            let _ = timeout(MAX_WAIT, states.wait_for(|state| state.is_usable(now))).await;
        }
    }

    /// Returns when the copy is to be read again: when it is wanted, or else after `interval`.
    pub async fn due(&self, interval: Duration) {
        tokio::select! {
            () = self.wanted.notified() => {}
            () = sleep(interval) => {}
        }
    }

    /// The copy was read; the read began then.
    pub fn read(&self, began: Instant) {
        self.state.send_replace(State::ReadAt(began));
    }

    /// The copy could not be read, or will not be any more.
    pub fn unreadable(&self) {
        self.state.send_replace(State::Unreadable);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    /// Of a copy that is too old to be used.
    fn old() -> RuleFreshness {
        RuleFreshness::new(Instant::now() - MAX_AGE * 3)
    }

    #[tokio::test]
    async fn an_old_copy_is_wanted_anew_and_not_used_until_a_read_that_began_late_enough() {
        let freshness = old();
        let mut usable = pin!(freshness.usable());
        assert!(poll!(&mut usable).is_pending());
        let mut due = pin!(freshness.due(Duration::from_secs(3600)));
        assert!(poll!(&mut due).is_ready());
        freshness.read(Instant::now() - MAX_AGE * 2);
        assert!(poll!(&mut usable).is_pending());
        freshness.read(Instant::now());
        assert!(poll!(&mut usable).is_ready());
    }

    #[tokio::test]
    async fn a_fresh_copy_is_used_at_once_and_wanted_anew_before_anyone_must_wait() {
        let state = State::ReadAt(Instant::now());
        assert!(state.is_usable(Instant::now() + MAX_AGE / 2));
        assert!(!state.is_usable(Instant::now() + MAX_AGE * 2));
        let freshness = RuleFreshness::new(Instant::now() + MAX_AGE);
        assert!(poll!(pin!(freshness.usable())).is_ready());
        assert!(poll!(pin!(freshness.due(Duration::from_secs(3600)))).is_pending());
        freshness.read(Instant::now() - MAX_AGE * 3 / 4);
        let _ = poll!(pin!(freshness.usable()));
        assert!(poll!(pin!(freshness.due(Duration::from_secs(3600)))).is_ready());
    }

    #[tokio::test]
    async fn while_the_rules_cannot_be_read_nobody_waits() {
        let freshness = old();
        let mut waiting = pin!(freshness.usable());
        assert!(poll!(&mut waiting).is_pending());
        freshness.unreadable();
        assert!(poll!(&mut waiting).is_ready());
        assert!(poll!(pin!(freshness.usable())).is_ready());
        assert!(ACKNOWLEDGE_AFTER > MAX_AGE);
    }
}

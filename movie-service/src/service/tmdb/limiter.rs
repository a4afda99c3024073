//! Never more than so many requests in any second, as the other side counts them.

use std::{sync::Mutex as StdMutex, time::Duration};

use tokio::{
    sync::{Mutex, mpsc},
    time::{Instant, sleep_until},
};

const WINDOW: Duration = Duration::from_secs(1);

/// Hands out slots, first come, first served. A slot is free again one second after its request has *arrived*, which is
/// known when the answer begins: counted from the moment of sending, requests that were delayed on their way could
/// meet the next second's.
pub(super) struct Limiter {
    free_slots: Mutex<mpsc::UnboundedReceiver<Instant>>,
    give_back: mpsc::UnboundedSender<Instant>,
    paused_until: StdMutex<Option<Instant>>,
}

/// Permission to send one request; dropped when the request has arrived.
pub(super) struct Slot {
    give_back: mpsc::UnboundedSender<Instant>,
}

impl Limiter {
    /// At most `per_second` requests in any second.
    pub(super) fn new(per_second: usize) -> Self {
        let (give_back, free_slots) = mpsc::unbounded_channel();
        for _ in 0..per_second {
            // The receiver is right here.
            let _ = give_back.send(Instant::now());
        }
        Self { free_slots: Mutex::new(free_slots), give_back, paused_until: StdMutex::new(None) }
    }

    /// Waits for a slot.
    pub(super) async fn slot(&self) -> Slot {
        let mut free_slots = self.free_slots.lock().await;
        let usable_at = free_slots.recv().await.expect("this limiter holds a sender");
        // From here on dropping this future gives the slot back.
        let slot = Slot { give_back: self.give_back.clone() };
        sleep_until(usable_at).await;
        loop {
            let paused_until = *self.paused_until.lock().expect("nothing panics under this lock");
            match paused_until {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => return slot,
            }
        }
    }

    /// Sends nothing for a while.
    pub(super) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut paused_until = self.paused_until.lock().expect("nothing panics under this lock");
        *paused_until = Some(paused_until.map_or(until, |earlier| earlier.max(until)));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Without a limiter nobody needs it.
        let _ = self.give_back.send(Instant::now() + WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// When each of `count` requests is sent that take `duration` each.
    async fn send(limiter: &Arc<Limiter>, count: usize, duration: Duration) -> Vec<Instant> {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..count {
            let limiter = limiter.clone();
            tasks.spawn(async move {
                let slot = limiter.slot().await;
                let sent = Instant::now();
                tokio::time::sleep(duration).await;
                drop(slot);
                sent + duration
            });
        }
        let mut arrived = tasks.join_all().await;
        arrived.sort();
        arrived
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_than_the_limit() {
        let limiter = Arc::new(Limiter::new(4));
        let arrived = send(&limiter, 30, Duration::from_millis(130)).await;
        for window in arrived.windows(5) {
            assert!(window[4] - window[0] >= WINDOW, "{window:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_within_the_limit_does_not_wait() {
        let start = Instant::now();
        send(&Arc::new(Limiter::new(40)), 40, Duration::ZERO).await;
        assert!(start.elapsed() < Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_whose_waiter_went_away_is_not_lost() {
        let limiter = Arc::new(Limiter::new(1));
        drop(limiter.slot().await);
        for _ in 0..3 {
            assert!(tokio::time::timeout(Duration::from_millis(1), limiter.slot()).await.is_err());
        }
        assert!(tokio::time::timeout(Duration::from_secs(5), limiter.slot()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_back_everything() {
        let limiter = Limiter::new(10);
        let start = Instant::now();
        limiter.pause(Duration::from_secs(3));
        limiter.pause(Duration::from_secs(1));
        let _slot = limiter.slot().await;
        assert!(start.elapsed() >= Duration::from_secs(3));
    }
}

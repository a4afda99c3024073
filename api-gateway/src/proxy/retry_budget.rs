//! A budget for sending requests again: when much fails, retries would only add to the load.

use std::sync::atomic::{AtomicU32, Ordering};

/// Parts of one retry in which the balance is counted.
const RETRY: u32 = 100;
/// Most retries that can be saved up.
const MAX_SAVED: u32 = 100;

/// The budget of one service, shared by all workers.
pub struct RetryBudget {
    /// Retries for each 100 requests.
    percent: u32,
    balance: AtomicU32,
}

impl RetryBudget {
    /// A full budget that `percent` of the requests fill up again; 0 allows no retry at all.
    pub fn new(percent: u32) -> Self {
        Self { percent, balance: AtomicU32::new(if percent == 0 { 0 } else { MAX_SAVED * RETRY }) }
    }

    /// Counts a request.
    pub fn deposit(&self) {
        // Almost always full: then nothing is written that other threads read.
        if self.balance.load(Ordering::Relaxed) < MAX_SAVED * RETRY {
            self.balance.fetch_add(self.percent, Ordering::Relaxed);
        }
    }

    /// Takes a retry out, if there is one.
    pub fn withdraw(&self) -> bool {
        let take = |balance: u32| balance.checked_sub(RETRY);
        self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_share_of_the_requests() {
        let budget = RetryBudget::new(20);
        while budget.withdraw() {}
        let mut retries = 0;
        for _ in 0..1000 {
            budget.deposit();
            retries += usize::from(budget.withdraw());
        }
        assert_eq!(retries, 200);
    }

    #[test]
    fn no_more_than_the_maximum_is_saved() {
        let budget = RetryBudget::new(20);
        (0..10_000).for_each(|_| budget.deposit());
        assert_eq!((0..10_000).filter(|_| budget.withdraw()).count(), MAX_SAVED as usize);
    }

    #[test]
    fn without_a_share_there_is_no_retry() {
        let budget = RetryBudget::new(0);
        budget.deposit();
        assert!(!budget.withdraw());
    }
}

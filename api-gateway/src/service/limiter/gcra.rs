//! The generic cell rate algorithm (ITU-T I.371, Annex A): a bucket that holds the whole quota and fills evenly. Unlike
//! fixed windows it admits no second quota right after the border of two windows.

use std::time::Duration;

use super::{Count, Decision, Quota};

impl Quota {
    /// Microseconds in which the bucket gains one request.
    pub fn interval_micros(&self) -> u64 {
        (self.window.as_micros() as u64 / self.max).max(1)
    }

    fn capacity_micros(&self) -> u64 {
        self.max.saturating_mul(self.interval_micros())
    }
}

/// How many requests are admitted now when the bucket is full in `ahead` microseconds.
pub fn available(quota: &Quota, ahead: u64) -> u64 {
    quota.capacity_micros().saturating_sub(ahead) / quota.interval_micros()
}

/// The decision on the request at `index` of those that came together. `count` is how many of them could be admitted
/// and the microseconds until the bucket was full before they came.
pub fn decide(quota: &Quota, count: Count, index: usize) -> Decision {
    let (available, ahead) = (u64::try_from(count.0).unwrap_or(0), u64::try_from(count.1).unwrap_or(0));
    let (index, interval) = (index as u64, quota.interval_micros());
    let admitted = (index + 1).min(available);
    let ahead = ahead.saturating_add(admitted.saturating_mul(interval));
    let allowed = index < available;
    let wait = if allowed { 0 } else { (ahead + interval).saturating_sub(quota.capacity_micros()) };
    Decision {
        allowed,
        limit: quota.max,
        remaining: available - admitted,
        reset: Duration::from_micros(ahead),
        retry_after: Duration::from_micros(wait),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Admits requests one by one, as a bucket of tokens whose fractions are microseconds.
    struct Bucket {
        interval: u64,
        capacity: u64,
        level: u64,
    }

    impl Bucket {
        fn wait(&mut self, micros: u64) {
            self.level = self.capacity.min(self.level + micros);
        }

        fn take(&mut self) -> bool {
            let allowed = self.level >= self.interval;
            self.level -= if allowed { self.interval } else { 0 };
            allowed
        }
    }

    proptest! {
        #[test]
        fn it_decides_as_a_bucket_of_tokens_does(
            max in 1_u64..200,
            seconds in 1_u64..100,
            arrivals in prop::collection::vec((0_u64..30_000_000, 1_usize..50), 1..100),
        ) {
            let quota = Quota { max, window: Duration::from_secs(seconds) };
            let (interval, capacity) = (quota.interval_micros(), max * quota.interval_micros());
            let mut bucket = Bucket { interval, capacity, level: capacity };
            let (mut now, mut full_at) = (0, 0_u64);
            for (wait, requests) in arrivals {
                now += wait;
                bucket.wait(wait);
                let ahead = full_at.saturating_sub(now);
                let available = available(&quota, ahead);
                for index in 0..requests {
                    let decision = decide(&quota, (available as i64, ahead as i64), index);
                    prop_assert_eq!(decision.allowed, bucket.take());
                    prop_assert_eq!(decision.remaining, bucket.level / interval);
                    prop_assert_eq!(decision.reset.as_micros() as u64, capacity - bucket.level);
                    let missing = if decision.allowed { 0 } else { interval - bucket.level };
                    prop_assert_eq!(decision.retry_after.as_micros() as u64, missing);
                    full_at = now + decision.reset.as_micros() as u64;
                }
            }
        }

        #[test]
        fn no_time_admits_more_than_the_quota_and_what_it_gains_meanwhile(
            max in 1_u64..50,
            waits in prop::collection::vec(0_u64..3_000_000, 1..300),
        ) {
            let quota = Quota { max, window: Duration::from_secs(60) };
            let (mut now, mut full_at, mut admitted) = (0, 0_u64, Vec::new());
            for wait in waits {
                now += wait;
                let ahead = full_at.saturating_sub(now);
                let decision = decide(&quota, (available(&quota, ahead) as i64, ahead as i64), 0);
                full_at = now + decision.reset.as_micros() as u64;
                admitted.extend(decision.allowed.then_some(now));
            }
            for (first, from) in admitted.iter().enumerate() {
                for (last, to) in admitted.iter().enumerate().skip(first) {
                    prop_assert!((last - first + 1) as u64 <= max + (to - from) / quota.interval_micros());
                }
            }
        }
    }
}

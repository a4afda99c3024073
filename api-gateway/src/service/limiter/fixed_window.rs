//! Fixed windows: a counter that begins with a client's first request and ends with its window.

use std::time::Duration;

use super::{Count, Decision, Quota};

/// The decision on the request at `index` of `requests` that were added together: the last of them has the position
/// that the counter shows. `count` is the counter and the milliseconds left.
pub fn decide(quota: &Quota, count: Count, requests: usize, index: usize) -> Decision {
    let (after, millis) = count;
    let before = u64::try_from(after).unwrap_or(u64::MAX).saturating_sub(requests as u64);
    let position = before.saturating_add(index as u64 + 1);
    let left = Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(quota.window);
    Decision {
        allowed: position <= quota.max,
        limit: quota.max,
        remaining: quota.max.saturating_sub(position),
        reset: left,
        retry_after: left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { max: 5, window: Duration::from_secs(60) };

    #[test]
    fn requests_that_share_a_call_have_positions_of_their_own() {
        let seen = (0..4).map(|index| decide(&QUOTA, (7, 1500), 4, index));
        let seen: Vec<_> = seen.map(|it| (it.allowed, it.remaining, it.reset_seconds())).collect();
        assert_eq!(seen, [(true, 1, 2), (true, 0, 2), (false, 0, 2), (false, 0, 2)]);
    }

    #[test]
    fn the_reset_stays_within_the_window() {
        for (millis, seconds) in [(-1, 0), (0, 0), (1, 1), (60_000, 60), (999_999, 60)] {
            assert_eq!(decide(&QUOTA, (1, millis), 1, 0).reset_seconds(), seconds);
        }
    }
}

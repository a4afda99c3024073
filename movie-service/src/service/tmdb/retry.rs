//! What is asked again, and after which pause.

use std::time::Duration;

use backon::ExponentialBuilder;
use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;

use super::{Failure, TmdbError};

/// The first pause; each further one is twice as long. Chance adds up to as much again.
const FIRST_PAUSE: Duration = Duration::from_millis(125);
/// Longest pause of our own choice, without what chance adds.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// Longest pause that TMDB can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The pauses between attempts. They have jitter, so that calls that failed together do not come back together.
pub(super) fn backoff(max_retries: u32) -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_factor(2.0)
        .with_max_times(max_retries as usize)
        .with_jitter()
}

/// The pause before the next attempt, if there is one: what TMDB asks for when that is longer than `backoff`.
pub(super) fn pause(failure: &Failure, backoff: Option<Duration>) -> Option<Duration> {
    let backoff = backoff?;
    Some(failure.retry_after.map_or(backoff, |asked| asked.min(LONGEST_RETRY_AFTER).max(backoff)))
}

/// Whether the next attempt may succeed: a refused key, a missing movie or an answer that is not JSON will be the same.
pub(super) fn is_transient(failure: &Failure) -> bool {
    match failure.error {
        TmdbError::Status(status) => status == 429 || status >= 500,
        TmdbError::Unreachable | TmdbError::TimedOut | TmdbError::CutOff => true,
        TmdbError::Unauthorized | TmdbError::NotFound | TmdbError::TooLarge | TmdbError::NotUnderstood => false,
    }
}

/// `Retry-After` in either of its forms (RFC 9110, section 10.2.3): seconds or a date.
pub(super) fn parse_retry_after(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some((date.with_timezone(&Utc) - Utc::now()).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use backon::BackoffBuilder;

    use super::*;

    /// The pause after `attempt` failures before this one.
    fn pause(error: TmdbError, retry_after: Option<u64>, attempt: usize) -> Option<Duration> {
        let failure = Failure { error, retry_after: retry_after.map(Duration::from_secs) };
        is_transient(&failure).then(|| super::pause(&failure, backoff(3).build().nth(attempt))).flatten()
    }

    #[test]
    fn pauses_double_with_jitter() {
        for (attempt, longest) in [(0, 250), (1, 500), (2, 1000)] {
            let pause = pause(TmdbError::TimedOut, None, attempt).expect("tried again").as_millis();
            assert!((longest / 2..=longest).contains(&pause), "{attempt}: {pause}");
        }
        assert_eq!(pause(TmdbError::TimedOut, None, 3), None, "three retries, no more");
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_limit() {
        assert_eq!(pause(TmdbError::Status(429), Some(3), 0), Some(Duration::from_secs(3)));
        assert_eq!(pause(TmdbError::Status(503), Some(86_400), 0), Some(LONGEST_RETRY_AFTER));
    }

    #[test]
    fn what_would_be_the_same_again_is_not_asked_again() {
        for error in [TmdbError::Unauthorized, TmdbError::NotFound, TmdbError::Status(301), TmdbError::NotUnderstood] {
            assert_eq!(pause(error, None, 0), None, "{error}");
        }
        for error in [TmdbError::Status(429), TmdbError::Status(500), TmdbError::Unreachable, TmdbError::CutOff] {
            assert!(pause(error, None, 0).is_some(), "{error}");
        }
    }

    #[test]
    fn retry_after_may_be_seconds_or_a_date() {
        let parse = |text: &str| parse_retry_after(&HeaderValue::from_str(text).expect("a header value"));
        assert_eq!(parse("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = (Utc::now() + Duration::from_secs(60)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        assert!(parse(&soon).is_some_and(|pause| (50..=60).contains(&pause.as_secs())), "{soon}");
        assert_eq!(parse("soon"), None);
        assert_eq!(parse("-1"), None);
    }
}

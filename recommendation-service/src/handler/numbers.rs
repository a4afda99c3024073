//! Numbers in query strings.

use std::str::FromStr;

/// A whole number within a range.
pub(super) fn whole<T: FromStr + PartialOrd>(text: &str, min: T, max: T) -> Option<T> {
    text.parse().ok().filter(|number| (&min..=&max).contains(&number))
}

/// A number from 0 to `max`.
pub(super) fn number(text: &str, max: f64) -> Option<f64> {
    // Adding 0 turns -0 into 0.
    text.parse().ok().filter(|number| (0.0..=max).contains(number)).map(|number: f64| number + 0.0)
}

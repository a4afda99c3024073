//! What each kind of feedback says.

use std::ops::RangeInclusive;

use super::env::Env;
use crate::models::feedback::FeedbackSettings;

/// Reads the settings.
pub(super) fn from_env(env: &mut Env) -> FeedbackSettings {
    let defaults = FeedbackSettings::default();
    let mut strength = |name: &str, default: f64| decimal(env, name, default, -1.0..=1.0, "a number from -1 to 1");
    FeedbackSettings {
        like: strength("FEEDBACK_WEIGHT_LIKE", defaults.like),
        dislike: strength("FEEDBACK_WEIGHT_DISLIKE", defaults.dislike),
        rating: strength("FEEDBACK_WEIGHT_RATING", defaults.rating),
        watched: strength("FEEDBACK_WEIGHT_WATCHED", defaults.watched),
        abandoned: strength("FEEDBACK_WEIGHT_ABANDONED", defaults.abandoned),
        half_life_days: decimal(
            env,
            "FEEDBACK_HALF_LIFE_DAYS",
            defaults.half_life_days,
            1.0..=100_000.0,
            "a number of days from 1 to 100000",
        ),
    }
}

fn decimal(env: &mut Env, name: &str, default: f64, range: RangeInclusive<f64>, expected: &str) -> f64 {
    let value = env.parsed(name, default, expected);
    // NaN is in no range.
    if range.contains(&value) {
        return value;
    }
    env.invalid(name, expected);
    default
}

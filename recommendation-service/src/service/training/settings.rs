//! Settings of training.

use std::time::Duration;

use crate::config::env::Env;

/// When the collaborative model is trained, and how large it may become.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelsConfig {
    /// `MODEL_MAX_ITEMS`: EASE for so many movies at most (its matrix has that many squared times 4 bytes), iALS beyond.
    pub max_items: usize,
    /// `MODEL_MAX_FEEDBACK`: pairs of user and movie that are kept in memory to train on, about 50 bytes each; beyond it
    /// a sample of the users.
    pub max_feedback: usize,
    /// `MODEL_TRAIN_AFTER_CHANGES`: a training begins by itself after so many changes, and a twentieth of all feedback.
    pub train_after_changes: usize,
    /// `MODEL_TRAIN_INTERVAL_SECONDS`: pause between two looks for changes, and after a training that began by itself.
    pub interval: Duration,
}

impl ModelsConfig {
    /// Reads the settings.
    pub fn from_env(env: &mut Env) -> Self {
        Self {
            max_items: env.number("MODEL_MAX_ITEMS", 15_000, 1..=100_000),
            max_feedback: env.number("MODEL_MAX_FEEDBACK", 5_000_000, 1_000..=1_000_000_000),
            train_after_changes: env.number("MODEL_TRAIN_AFTER_CHANGES", 500, 1..=1_000_000_000),
            interval: env.seconds("MODEL_TRAIN_INTERVAL_SECONDS", 60),
        }
    }
}

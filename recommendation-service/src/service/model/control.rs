//! How far a training is, and the wish that it stop.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

/// Shared by who trains and who watches. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct TrainingControl(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The part that runs now, and how many there are; 0 for one.
    part: AtomicU32,
    parts: AtomicU32,
    percent: AtomicU32,
    cancelled: AtomicBool,
}

/// The training was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the training was cancelled")]
pub struct Cancelled;

impl TrainingControl {
    /// Asks the training to stop at its next step.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// How much is done, in percent.
    pub fn percent(&self) -> u32 {
        self.0.percent.load(Ordering::Relaxed)
    }

    /// Says that the part `part` of `parts` begins, counted from 0: the steps that follow are those of this part.
    pub fn begin_part(&self, part: usize, parts: usize) {
        self.0.part.store(part as u32, Ordering::Relaxed);
        self.0.parts.store(parts as u32, Ordering::Relaxed);
    }

    /// Says that `done` of `all` steps are done.
    ///
    /// # Errors
    /// [`Cancelled`] when there is no point in going on.
    pub fn step(&self, done: usize, all: usize) -> Result<(), Cancelled> {
        let of_part = (done.min(all) * 100).checked_div(all).unwrap_or(100) as u32;
        let (part, parts) = (self.0.part.load(Ordering::Relaxed), self.0.parts.load(Ordering::Relaxed).max(1));
        let percent = (part * 100 + of_part) / parts;
        self.0.percent.store(percent, Ordering::Relaxed);
        self.check()
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Cancelled`] when there is no point in going on.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.0.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

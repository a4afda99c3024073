//! What is said about a model.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a model was trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// A weight from movie to movie, in closed form.
    Ease,
    /// A vector for each movie, by alternating least squares.
    Ials,
}

/// What likes count in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// All the same, from a rating of 7 on.
    Equal,
    /// By the square root of their strength, from a rating of 6 on.
    Graded,
}

/// How strengths of feedback count in scoring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scoring {
    /// This power of them: below 1, weak likes come nearer to strong ones.
    pub curve: f32,
    /// How much a dislike counts, beside a like as strong.
    pub dislikes: f32,
}

impl Scoring {
    /// How much a strength counts, with its sign.
    pub fn of(self, strength: f32) -> f32 {
        let bent = strength.abs().powf(self.curve).copysign(strength);
        if strength < 0.0 { bent * self.dislikes } else { bent }
    }
}

/// A model's version, data, settings and quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Changes with the parameters: the start of their checksum.
    pub version: String,
    /// How it was trained.
    pub algorithm: Algorithm,
    /// When the training ended.
    pub trained_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub training_ms: u64,
    /// Users whose feedback it has seen.
    pub users: usize,
    /// Movies that it knows.
    pub movies: usize,
    /// Pairs of a user and a movie that the user liked.
    pub interactions: usize,
    /// Pairs of a user and a movie about which something was known, liked or not.
    pub feedback: usize,
    /// The ridge: how strongly weights are drawn to 0.
    pub ridge: f32,
    /// How much it counts that likes came in one session of a user; 0 when it does not.
    #[serde(default)]
    pub session_weight: f32,
    /// How much a genre or an era that movies share counts beside a user who liked them; 0 when it does not.
    pub tag_weight: f32,
    /// What likes have counted in training.
    pub weighting: Weighting,
    /// How strengths of feedback count in scoring: this power of them.
    pub curve: f32,
    /// How much a dislike counts in scoring, beside a like as strong; 0 when it does not.
    pub dislikes: f32,
    /// Measured on likes that were held out of a training on the others.
    pub quality: Option<HeldOutQuality>,
}

impl ModelInfo {
    /// How strengths of feedback count in scoring.
    pub fn scoring(&self) -> Scoring {
        Scoring { curve: self.curve, dislikes: self.dislikes }
    }
}

/// The quality on a part of the data that was held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeldOutQuality {
    /// Users with something held out.
    pub users: usize,
    /// Normalised discounted cumulative gain of the first ten, 0..1.
    pub ndcg_10: f64,
    /// The same for a list of the movies liked most often.
    pub popularity_ndcg_10: f64,
    /// Held-out movies among the first twenty, as a part of all (at most twenty), 0..1.
    pub recall_20: f64,
}

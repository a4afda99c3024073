//! The best k of many candidates, in memory for k only.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

/// A movie that may be recommended. The greater one is the better one.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Its score times 10,000, a whole number.
    pub scaled_score: f64,
    /// Decides between equal scores.
    pub popularity: f64,
    /// Decides between equal popularity: the lower one is better.
    pub id: i32,
    /// Its index in the catalogue.
    pub index: usize,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let score = self.scaled_score.total_cmp(&other.scaled_score);
        score.then_with(|| self.popularity.total_cmp(&other.popularity)).then_with(|| other.id.cmp(&self.id))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

/// Keeps the best `limit` candidates.
pub struct TopK {
    limit: usize,
    /// The worst one kept is on top.
    heap: BinaryHeap<Reverse<Candidate>>,
    /// What rounds to a lower score than the worst one kept is below this.
    threshold: f64,
}

impl TopK {
    /// Room for `limit` candidates.
    pub fn new(limit: usize) -> Self {
        let threshold = if limit == 0 { f64::INFINITY } else { f64::NEG_INFINITY };
        Self { limit, heap: BinaryHeap::with_capacity(limit), threshold }
    }

    /// Whether a candidate with this scaled score before rounding can be among the best; cheap, for the many that cannot.
    pub fn can_enter(&self, unrounded: f64) -> bool {
        unrounded >= self.threshold
    }

    /// Whether a candidate with at most this scaled score, rounded, and at most this popularity can be among the best.
    pub fn can_enter_with(&self, scaled_score: f64, popularity: f64) -> bool {
        match self.heap.peek() {
            Some(Reverse(worst)) if self.heap.len() == self.limit => {
                scaled_score > worst.scaled_score
                    || scaled_score == worst.scaled_score && popularity >= worst.popularity
            }
            _ => self.limit > 0,
        }
    }

    /// Keeps the candidate if it is among the best so far.
    pub fn push(&mut self, candidate: Candidate) {
        if self.heap.len() < self.limit {
            self.heap.push(Reverse(candidate));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate > worst.0
        {
            worst.0 = candidate;
        }
        if self.heap.len() == self.limit
            && let Some(worst) = self.heap.peek()
        {
            // Half a unit below is where rounding away from zero stops reaching the worst one's score.
            self.threshold = worst.0.scaled_score - 0.5;
        }
    }

    /// The candidates kept, best first.
    pub fn into_sorted(self) -> Vec<Candidate> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(candidate)| candidate).collect()
    }
}

//! The best few of very many, in memory for the few only.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

/// A movie in the running. The greater one is the better one.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its score times 10,000, a whole number.
    pub points: f64,
    /// Decides between equal scores.
    pub popularity: f64,
    /// Decides between equal popularity: the lower one is better.
    pub id: i32,
    /// Its place in the catalogue.
    pub place: usize,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let score = self.points.total_cmp(&other.points);
        score.then_with(|| self.popularity.total_cmp(&other.popularity)).then_with(|| other.id.cmp(&self.id))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// Keeps the best `limit` of what it is offered.
pub struct Top {
    limit: usize,
    /// The worst one kept is on top.
    heap: BinaryHeap<Reverse<Entry>>,
    /// What rounds to fewer points than the worst one kept is below this.
    threshold: f64,
}

impl Top {
    /// Room for `limit` entries.
    pub fn new(limit: usize) -> Self {
        let threshold = if limit == 0 { f64::INFINITY } else { f64::NEG_INFINITY };
        Self { limit, heap: BinaryHeap::with_capacity(limit), threshold }
    }

    /// Whether an entry with these points before rounding can still be among the best; cheap, for the many that cannot.
    pub fn may_take(&self, exact_points: f64) -> bool {
        exact_points >= self.threshold
    }

    /// Takes the entry if it is among the best so far.
    pub fn offer(&mut self, entry: Entry) {
        if self.heap.len() < self.limit {
            self.heap.push(Reverse(entry));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && entry > worst.0
        {
            worst.0 = entry;
        }
        if self.heap.len() == self.limit
            && let Some(worst) = self.heap.peek()
        {
            // Half a point below is where rounding away from zero stops reaching the worst one's points.
            self.threshold = worst.0.points - 0.5;
        }
    }

    /// What was kept, best first.
    pub fn into_best_first(self) -> Vec<Entry> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(entry)| entry).collect()
    }
}

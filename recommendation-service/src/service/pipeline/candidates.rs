//! Finds the movies with the highest scores without looking at all of them: a block of movies whose upper bound does not
//! reach the worst movie found so far is left out. Blocks are taken by their bounds, highest first, as in the threshold
//! algorithm of Fagin, Lotem and Naor (2003).
//!
//! Bounds are added up in the same order as scores. Sums and products of floating-point numbers never fall when an operand
//! rises (weights are not negative), so no score exceeds the bound of its block, not even by rounding.

use std::{collections::BinaryHeap, ops::Range};

use super::{
    filters::Filters,
    top_k::{Candidate, TopK},
};
use crate::models::{blocks::BLOCK, catalogue::Catalogue};

/// Scores have four decimals: they are compared as whole numbers, multiplied by this.
pub const SCALE: f64 = 10_000.0;

/// What gives movies their scores.
pub trait Scorer {
    /// Adds to `bounds`, one for each block, what no score of the block exceeds.
    fn add_bounds(&self, bounds: &mut [f64]);

    /// Adds to `scores`, one for each movie of the range, the movie's score.
    fn add_scores(&self, range: Range<usize>, scores: &mut [f64]);
}

/// A block by the best movie that it may have: score, then popularity.
struct BlockBound {
    scaled_score: f64,
    popularity: f64,
    block: usize,
}

impl Ord for BlockBound {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let score = self.scaled_score.total_cmp(&other.scaled_score);
        score.then_with(|| self.popularity.total_cmp(&other.popularity)).then_with(|| other.block.cmp(&self.block))
    }
}

impl PartialOrd for BlockBound {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for BlockBound {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for BlockBound {}

/// The best `limit` movies that pass the filters, best first: by score, then popularity, both falling, then id, rising.
pub fn best(catalogue: &Catalogue, filters: &Filters<'_>, scorer: &impl Scorer, limit: usize) -> Vec<Candidate> {
    let blocks = catalogue.blocks();
    let mut bounds = vec![0.0; blocks.len()];
    scorer.add_bounds(&mut bounds);
    let bounds = bounds.into_iter().zip(blocks.highest_popularity()).enumerate();
    let mut queue: BinaryHeap<BlockBound> = bounds
        .map(|(block, (bound, popularity))| BlockBound {
            scaled_score: rounded(bound * SCALE),
            popularity: *popularity,
            block,
        })
        .collect();
    let mut best = TopK::new(limit);
    while let Some(next) = queue.pop() {
        if !best.can_enter_with(next.scaled_score, next.popularity) {
            break;
        }
        score_block(catalogue, filters, scorer, blocks.range(next.block), &mut best);
    }
    best.into_sorted()
}

fn score_block(
    catalogue: &Catalogue,
    filters: &Filters<'_>,
    scorer: &impl Scorer,
    range: Range<usize>,
    best: &mut TopK,
) {
    let mut scores = [0.0; BLOCK];
    let scores = &mut scores[..range.len()];
    scorer.add_scores(range.clone(), scores);
    for (score, index) in scores.iter().zip(range) {
        let unrounded = score * SCALE;
        if best.can_enter(unrounded) && filters.keep(index) {
            best.push(candidate(catalogue, index, unrounded));
        }
    }
}

/// A scaled score as a whole number. Adding 0 turns -0 into 0, which would otherwise be below it.
fn rounded(unrounded: f64) -> f64 {
    unrounded.round() + 0.0
}

/// The movie at `index` with its score times [`SCALE`], not rounded yet.
pub fn candidate(catalogue: &Catalogue, index: usize, unrounded: f64) -> Candidate {
    let (popularity, id) = (catalogue.popularity()[index], catalogue.ids()[index]);
    Candidate { scaled_score: rounded(unrounded), popularity, id, index }
}

/// The highest popularity among the movies that pass the filters, at least 0.
pub fn highest_popularity(catalogue: &Catalogue, filters: &Filters<'_>) -> f64 {
    let (blocks, popularity) = (catalogue.blocks(), catalogue.popularity());
    let mut highest = 0.0;
    for (block, bound) in blocks.highest_popularity().iter().enumerate() {
        if *bound > highest {
            for index in blocks.range(block) {
                if popularity[index] > highest && filters.keep(index) {
                    highest = popularity[index];
                }
            }
        }
    }
    highest
}

//! What is known of whole blocks of movies, so that a search can leave out blocks that cannot win.

use std::{mem::size_of_val, ops::Range};

use super::catalogue::{NO_DAY, NO_ERA};

/// Movies in a block; the last one of a catalogue may have fewer.
pub const BLOCK: usize = 256;

/// The highest and lowest values of each block.
#[derive(Debug, Default)]
pub struct Blocks {
    len: usize,
    pub(super) highest_popularity: Box<[f64]>,
    pub(super) latest_day: Box<[i32]>,
    pub(super) highest_rating: Box<[f64]>,
    pub(super) eras: Box<[(u8, u8)]>,
}

impl Blocks {
    /// Of columns of equal length; `ratings` are weighted ratings.
    pub(super) fn new(popularity: &[f64], release_days: &[i32], ratings: impl Fn(usize) -> f64, eras: &[u8]) -> Self {
        let len = popularity.len();
        let highest = |range: Range<usize>| range.map(&ratings).fold(0.0, f64::max);
        // A movie without a date belongs to no era, and bounds none.
        let eras_of = |eras: &[u8]| {
            let dated = eras.iter().filter(|era| **era != NO_ERA);
            dated.fold((NO_ERA, 0), |(low, high), era| (low.min(*era), high.max(*era)))
        };
        Self {
            len,
            highest_popularity: popularity
                .chunks(BLOCK)
                .map(|block| block.iter().copied().fold(f64::NEG_INFINITY, f64::max))
                .collect(),
            latest_day: release_days.chunks(BLOCK).map(|block| block.iter().copied().max().unwrap_or(NO_DAY)).collect(),
            highest_rating: (0..len.div_ceil(BLOCK)).map(|block| highest(range(block, len))).collect(),
            eras: eras.chunks(BLOCK).map(eras_of).collect(),
        }
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.highest_popularity.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The indexes of the movies of a block.
    pub fn range(&self, block: usize) -> Range<usize> {
        range(block, self.len)
    }

    /// The highest popularity in each block.
    pub fn highest_popularity(&self) -> &[f64] {
        &self.highest_popularity
    }

    /// The latest release day in each block.
    pub fn latest_day(&self) -> &[i32] {
        &self.latest_day
    }

    /// The highest weighted rating in each block.
    pub fn highest_rating(&self) -> &[f64] {
        &self.highest_rating
    }

    /// The first and the last era in each block; the first is [`NO_ERA`] where no movie has one.
    pub fn eras(&self) -> &[(u8, u8)] {
        &self.eras
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.highest_popularity)
            + size_of_val(&*self.latest_day)
            + size_of_val(&*self.highest_rating)
            + size_of_val(&*self.eras)
    }
}

fn range(block: usize, len: usize) -> Range<usize> {
    block * BLOCK..((block + 1) * BLOCK).min(len)
}

/// The order in which a catalogue keeps its movies: by powers of two of their popularity, falling, within one the
/// newest first, then by id. So popularity and release day differ little within a block, and its highest values say much.
pub(super) fn order(popularity: &[f64], release_days: &[i32], ids: &[i32]) -> Vec<u32> {
    let key = |index: u32| {
        let (popularity, day) = (popularity[index as usize], release_days[index as usize]);
        let exponent = if popularity > 0.0 { popularity.to_bits() >> 52 } else { 0 };
        // Days as unsigned numbers in the same order.
        let day = (day as u32) ^ (1 << 31);
        (!((exponent << 32) | u64::from(day)), ids[index as usize], index)
    };
    let mut keys: Vec<(u64, i32, u32)> = (0..popularity.len() as u32).map(key).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, _, index)| index).collect()
}

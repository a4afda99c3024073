//! Chance beside the score: `(1 - share) x relevance + share x chance`, where chance is a number from 0 to 1 that follows
//! from the seed and the movie's id alone. The same request gives the same list again.

use super::Ranked;
use crate::models::list_request::Exploration;

/// Mixes chance into the relevance of each movie and sorts by it.
pub(super) fn explore(pool: &mut [Ranked], exploration: Exploration) {
    for ranked in pool.iter_mut() {
        let chance = chance(exploration.seed, ranked.movie.id);
        ranked.relevance = (1.0 - exploration.share) * ranked.relevance + exploration.share * chance;
    }
    pool.sort_by(|a, b| b.relevance.total_cmp(&a.relevance).then_with(|| b.movie.cmp(&a.movie)));
}

/// A number from 0 to 1 (splitmix64 of Steele, Lea and Flood, 2014).
fn chance(seed: u64, id: i32) -> f64 {
    let mixed = (seed ^ (u64::from(id.unsigned_abs()) << 32)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

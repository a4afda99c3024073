//! Maximal marginal relevance (Carbonell and Goldstein, 1998): one after the other, the movie with the highest
//! `(1 - d) x relevance - d x (greatest similarity to a movie chosen before)`.
//!
//! ```text
//! similarity = 0.6 x |common genres| / |all genres of both| + 0.25 x max(0, 1 - |difference of decades| / 4)
//!            + 0.15 x (1 if in the same language)
//! ```
//!
//! What is unknown of one of the two counts one half: a list is not made more interesting by what nobody has described.

use super::Ranked;
use crate::models::catalogue::{Catalogue, NO_ERA, NO_LANGUAGE};

const GENRES: f64 = 0.6;
const ERA: f64 = 0.25;
const LANGUAGE: f64 = 0.15;
/// Decades that lie so far apart have nothing in common.
const FAR_DECADES: f64 = 4.0;
/// The similarity in a respect that is unknown.
const UNKNOWN: f64 = 0.5;

/// The first `needed` movies chosen for diversity, from a pool sorted by relevance; then the others as they were.
pub(super) fn diversify(catalogue: &Catalogue, mut pool: Vec<Ranked>, diversity: f64, needed: usize) -> Vec<Ranked> {
    let mut chosen: Vec<Ranked> = Vec::with_capacity(pool.len());
    let mut closest = vec![0.0_f64; pool.len()];
    while chosen.len() < needed && !pool.is_empty() {
        let value = |place: usize| (1.0 - diversity) * pool[place].relevance - diversity * closest[place];
        // The first of equals, which has the higher score.
        let best = (0..pool.len()).fold(0, |best, place| if value(place) > value(best) { place } else { best });
        let next = pool.remove(best);
        closest.remove(best);
        for (ranked, closest) in pool.iter().zip(&mut closest) {
            *closest = closest.max(similarity(catalogue, ranked.movie.index, next.movie.index));
        }
        chosen.push(next);
    }
    chosen.extend(pool);
    chosen
}

/// How alike two movies are, 0 to 1.
fn similarity(catalogue: &Catalogue, one: usize, other: usize) -> f64 {
    let set = |index: usize| &*catalogue.genre_sets()[catalogue.genre_set_of()[index] as usize];
    let (first, second) = (set(one), set(other));
    let common = first.iter().filter(|genre| second.contains(genre)).count();
    let all = first.len() + second.len() - common;
    let genres = if first.is_empty() || second.is_empty() { UNKNOWN } else { common as f64 / all as f64 };
    let era = match (catalogue.eras()[one], catalogue.eras()[other]) {
        (NO_ERA, _) | (_, NO_ERA) => UNKNOWN,
        (first, second) => (1.0 - f64::from(first.abs_diff(second)) / FAR_DECADES).max(0.0),
    };
    let language = match (catalogue.language_of()[one], catalogue.language_of()[other]) {
        (NO_LANGUAGE, _) | (_, NO_LANGUAGE) => UNKNOWN,
        (first, second) => f64::from(u8::from(first == second)),
    };
    GENRES * genres + ERA * era + LANGUAGE * language
}

//! Which movies suit a user best. Pure: everything comes in as a parameter, nothing is read or waited for.
//!
//! The formula is that of the platform's first, Go implementation, so that both give the same scores:
//!
//! ```text
//! score       = round4( weight(popularity)  x popularity value
//!                     + weight(recency)     x recency value
//!                     + weight(genre_match) x genre value )
//! popularity  = the movie's popularity / the highest among the candidates;  0 when that is 0
//! recency     = 1 - (whole days from release to today, UTC) / 730, within 0..1;  a future date counts as today,
//!               no date counts 0
//! genre value = (genres of the movie that the user prefers) / (genres of the movie), ignoring case;
//!               0 for a movie without genres or a user who prefers none
//! round4(x)   = round(x * 10000) / 10000, halves away from zero
//! ```
//!
//! `weight(t)` is the sum of the weights of all active rules of type `t`; types not named above count nothing.
//! Candidates are all movies that the user has not seen and that are not rated below the user's minimum; a movie that
//! nobody has rated is not below anything. The order is total: score, then popularity, both falling, then id, rising.

use std::{collections::HashSet, ops::Range};

use chrono::NaiveDate;

use super::top_k::{Candidate, TopK};
use crate::models::{
    catalogue::{Catalogue, day_number},
    recommendation::{RankedMovie, Reasons},
    rule::Rule,
    user_profile::UserProfile,
};

/// Scores have four decimals: they are compared as whole numbers, multiplied by this.
const SCALE: f64 = 10_000.0;
/// After so many days a movie is not recent at all.
const RECENT_DAYS: f64 = 730.0;
/// Above this, a popularity or recency value is worth mentioning.
const NOTABLE: f64 = 0.7;
/// Largest weight of a type of rule. Below it a sum of three times 10,000 is far from losing its decimals.
const MAX_WEIGHT: f64 = 1_000_000.0;

/// How much each part counts; `None` where no rule is active.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weights {
    /// Of the popularity value.
    pub popularity: Option<f64>,
    /// Of the recency value.
    pub recency: Option<f64>,
    /// Of the genre value.
    pub genre_match: Option<f64>,
}

impl Weights {
    /// Adds up the active rules by type. A weight that is no number, or negative, counts 0.
    pub fn from_rules(rules: &[Rule]) -> Self {
        let mut weights = Self::default();
        for rule in rules.iter().filter(|rule| rule.is_active) {
            let part = match rule.rule_type.as_str() {
                "popularity" => &mut weights.popularity,
                "recency" => &mut weights.recency,
                "genre_match" => &mut weights.genre_match,
                _ => continue,
            };
            // `max` before `min` also turns NaN into 0.
            *part = Some((part.unwrap_or(0.0) + rule.weight.max(0.0)).min(MAX_WEIGHT));
        }
        weights
    }

    /// The highest score that can come out, before rounding.
    pub fn sum(&self) -> f64 {
        [self.popularity, self.recency, self.genre_match].into_iter().flatten().sum()
    }
}

/// The best `limit` movies, best first.
pub fn rank(
    catalogue: &Catalogue,
    profile: &UserProfile,
    weights: &Weights,
    today: NaiveDate,
    limit: usize,
) -> Vec<RankedMovie> {
    let candidates = unseen_ranges(catalogue.ids(), &profile.seen_movie_ids);
    let values = RuleValues {
        highest_popularity: highest_popularity(catalogue, &candidates, profile.min_rating),
        genre_values: genre_values(catalogue, &profile.preferred_genres),
        today: day_number(today),
    };
    let mut best = TopK::new(limit);
    for range in candidates {
        score_range(catalogue, range, profile.min_rating, &values, weights, &mut best);
    }
    let ranked = |movie: Candidate| RankedMovie {
        index: movie.index,
        score: movie.scaled_score / SCALE,
        reasons: values.reasons(catalogue, movie.index, weights),
    };
    best.into_sorted().into_iter().map(ranked).collect()
}

/// Everything that the values of a movie depend on besides the movie.
struct RuleValues {
    highest_popularity: f64,
    /// One for each distinct combination of genres.
    genre_values: Vec<f64>,
    today: i32,
}

impl RuleValues {
    fn popularity(&self, popularity: f64) -> f64 {
        if self.highest_popularity > 0.0 { (popularity / self.highest_popularity).max(0.0) } else { 0.0 }
    }

    fn recency(&self, release_day: i32) -> f64 {
        // No date is a day so long ago that the difference needs more than 32 bits.
        let days = (i64::from(self.today) - i64::from(release_day)).max(0);
        (1.0 - days as f64 / RECENT_DAYS).max(0.0)
    }

    fn reasons(&self, catalogue: &Catalogue, index: usize, weights: &Weights) -> Reasons {
        let genre_value = self.genre_values[catalogue.genre_set_of()[index] as usize];
        Reasons {
            popular: weights.popularity.is_some() && self.popularity(catalogue.popularity()[index]) > NOTABLE,
            recent: weights.recency.is_some() && self.recency(catalogue.release_days()[index]) > NOTABLE,
            genre: weights.genre_match.is_some() && genre_value > 0.0,
        }
    }
}

/// Scores a range of movies; only those that make it into the best are rounded and kept.
fn score_range(
    catalogue: &Catalogue,
    range: Range<usize>,
    min_rating: f64,
    values: &RuleValues,
    weights: &Weights,
    best: &mut TopK,
) {
    let [popularity_weight, recency_weight, genre_weight] =
        [weights.popularity, weights.recency, weights.genre_match].map(|weight| weight.unwrap_or(0.0));
    let popularity = &catalogue.popularity()[range.clone()];
    let columns = popularity
        .iter()
        .zip(&catalogue.release_days()[range.clone()])
        .zip(&catalogue.ratings()[range.clone()])
        .zip(&catalogue.genre_set_of()[range.clone()]);
    for (offset, (((popularity, release_day), rating), genre_set)) in columns.enumerate() {
        if *rating < min_rating {
            continue;
        }
        let score = popularity_weight * values.popularity(*popularity)
            + recency_weight * values.recency(*release_day)
            + genre_weight * values.genre_values[*genre_set as usize];
        let unrounded = score * SCALE;
        if best.can_enter(unrounded) {
            let index = range.start + offset;
            let (scaled_score, id) = (unrounded.round(), catalogue.ids()[index]);
            best.push(Candidate { scaled_score, popularity: *popularity, id, index });
        }
    }
}

/// The ranges of indexes between the movies that were seen; both lists ascend.
fn unseen_ranges(ids: &[i32], seen: &[i32]) -> Vec<Range<usize>> {
    let mut ranges = Vec::with_capacity(seen.len() + 1);
    let mut start = 0;
    for id in seen {
        if let Ok(offset) = ids[start..].binary_search(id) {
            ranges.push(start..start + offset);
            start += offset + 1;
        }
    }
    ranges.push(start..ids.len());
    ranges
}

fn highest_popularity(catalogue: &Catalogue, candidates: &[Range<usize>], min_rating: f64) -> f64 {
    let highest_of = |range: &Range<usize>| {
        let rated = catalogue.ratings()[range.clone()].iter().zip(&catalogue.popularity()[range.clone()]);
        rated.fold(
            0.0_f64,
            |highest, (rating, popularity)| {
                if *rating < min_rating || *popularity <= highest { highest } else { *popularity }
            },
        )
    };
    candidates.iter().map(highest_of).fold(0.0, f64::max)
}

/// The genre value of each distinct combination of genres.
fn genre_values(catalogue: &Catalogue, preferred: &[String]) -> Vec<f64> {
    let preferred: HashSet<String> = preferred.iter().map(|name| fold_case(name)).collect();
    let matches: Vec<bool> = catalogue.genre_names().iter().map(|name| preferred.contains(&fold_case(name))).collect();
    let value = |set: &[u16]| match set.len() {
        0 => 0.0,
        all => set.iter().filter(|genre| matches[usize::from(**genre)]).count() as f64 / all as f64,
    };
    catalogue.genre_sets().iter().map(|set| value(set)).collect()
}

/// A form that is equal for names that differ only in case, in any script. Going through capitals brings together
/// what has more than one small form, such as the two sigmas, and letter by letter nothing depends on its neighbours.
fn fold_case(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
#[path = "scoring_tests.rs"]
mod tests;

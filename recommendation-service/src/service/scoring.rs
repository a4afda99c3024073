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

use std::{collections::HashSet, fmt, ops::Range};

use chrono::NaiveDate;

use super::top::{Entry, Top};
use crate::models::{
    catalogue::{Catalogue, day_number},
    rule::Rule,
};

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

/// What is known about the user.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taste<'a> {
    /// Names of genres, in any case.
    pub preferred_genres: &'a [String],
    /// Movies rated below it are left out.
    pub min_rating: f64,
    /// Movies to leave out: ascending, each once.
    pub seen: &'a [i32],
}

/// A movie that was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Its place in the catalogue.
    pub place: usize,
    /// Its score, to four decimals.
    pub score: f64,
    /// Why.
    pub reasons: Reasons,
}

/// Why a movie was chosen. Shown as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Its popularity value counts and is above 0.7.
    pub popular: bool,
    /// Its recency value counts and is above 0.7.
    pub recent: bool,
    /// Its genre value counts and is above 0.
    pub genre: bool,
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = [
            (self.popular, "highly popular"),
            (self.recent, "recently released"),
            (self.genre, "matches your preferred genres"),
        ];
        let mut separator = "";
        for (_, text) in reasons.iter().filter(|(holds, _)| *holds) {
            write!(f, "{separator}{text}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("recommended for you") } else { Ok(()) }
    }
}

/// The best `limit` movies, best first.
pub fn rank(
    catalogue: &Catalogue,
    taste: &Taste<'_>,
    weights: &Weights,
    today: NaiveDate,
    limit: usize,
) -> Vec<Ranked> {
    let candidates = unseen(catalogue.ids(), taste.seen);
    let values = Values {
        highest_popularity: highest_popularity(catalogue, &candidates, taste.min_rating),
        genre_values: genre_values(catalogue, taste.preferred_genres),
        today: day_number(today),
    };
    let mut top = Top::new(limit);
    for range in candidates {
        offer(catalogue, range, taste.min_rating, &values, weights, &mut top);
    }
    let ranked = |entry: Entry| Ranked {
        place: entry.place,
        score: entry.points / 10_000.0,
        reasons: values.reasons(catalogue, entry.place, weights),
    };
    top.into_best_first().into_iter().map(ranked).collect()
}

/// Everything that the values of a movie depend on besides the movie.
struct Values {
    highest_popularity: f64,
    /// One for each distinct combination of genres.
    genre_values: Vec<f64>,
    today: i32,
}

impl Values {
    fn popularity(&self, popularity: f64) -> f64 {
        if self.highest_popularity > 0.0 { (popularity / self.highest_popularity).max(0.0) } else { 0.0 }
    }

    fn recency(&self, release_day: i32) -> f64 {
        // No date is a day so long ago that the difference needs more than 32 bits.
        let days = (i64::from(self.today) - i64::from(release_day)).max(0);
        (1.0 - days as f64 / RECENT_DAYS).max(0.0)
    }

    fn reasons(&self, catalogue: &Catalogue, place: usize, weights: &Weights) -> Reasons {
        let genre_value = self.genre_values[catalogue.genre_set_of()[place] as usize];
        Reasons {
            popular: weights.popularity.is_some() && self.popularity(catalogue.popularity()[place]) > NOTABLE,
            recent: weights.recency.is_some() && self.recency(catalogue.release_days()[place]) > NOTABLE,
            genre: weights.genre_match.is_some() && genre_value > 0.0,
        }
    }
}

/// Scores a range of movies; only those that make it into the best are rounded and kept.
fn offer(
    catalogue: &Catalogue,
    range: Range<usize>,
    min_rating: f64,
    values: &Values,
    weights: &Weights,
    top: &mut Top,
) {
    let [for_popularity, for_recency, for_genre] =
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
        let score = for_popularity * values.popularity(*popularity)
            + for_recency * values.recency(*release_day)
            + for_genre * values.genre_values[*genre_set as usize];
        let exact_points = score * 10_000.0;
        if top.may_take(exact_points) {
            let place = range.start + offset;
            let (points, id) = (exact_points.round(), catalogue.ids()[place]);
            top.offer(Entry { points, popularity: *popularity, id, place });
        }
    }
}

/// The ranges of places between the movies that were seen; both lists ascend.
fn unseen(ids: &[i32], seen: &[i32]) -> Vec<Range<usize>> {
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

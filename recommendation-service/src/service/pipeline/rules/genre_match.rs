//! How many of a movie's genres the user prefers: (preferred genres of the movie) / (genres of the movie), ignoring
//! case; 0 for a movie without genres or a user who prefers none.

use std::collections::HashSet;

use super::{RuleContext, ScoringRule};
use crate::models::{catalogue::Catalogue, recommendation::Reason, rule::RuleType};

pub(super) struct GenreMatch<'a> {
    catalogue: &'a Catalogue,
    /// One for each distinct combination of genres.
    values: Vec<f64>,
    highest: f64,
}

impl<'a> GenreMatch<'a> {
    pub(super) fn new(context: &RuleContext<'a>) -> Self {
        let values = values(context.catalogue, &context.profile.preferred_genres);
        Self { catalogue: context.catalogue, highest: values.iter().copied().fold(0.0, f64::max), values }
    }
}

impl ScoringRule for GenreMatch<'_> {
    fn rule_type(&self) -> RuleType {
        RuleType::GenreMatch
    }

    fn value(&self, index: usize) -> f64 {
        self.values[self.catalogue.genre_set_of()[index] as usize]
    }

    fn upper_bound(&self, _block: usize) -> f64 {
        self.highest
    }

    fn reason(&self, index: usize) -> Option<Reason> {
        (self.value(index) > 0.0).then_some(Reason::PreferredGenres)
    }
}

/// The value of each distinct combination of genres.
fn values(catalogue: &Catalogue, preferred: &[String]) -> Vec<f64> {
    let sets = catalogue.genre_sets();
    if preferred.is_empty() {
        return vec![0.0; sets.len()];
    }
    let preferred: HashSet<String> = preferred.iter().map(|name| fold_case(name)).collect();
    let matches: Vec<bool> = catalogue.genre_names().iter().map(|name| preferred.contains(&fold_case(name))).collect();
    let value = |set: &[u16]| match set.len() {
        0 => 0.0,
        all => set.iter().filter(|genre| matches[usize::from(**genre)]).count() as f64 / all as f64,
    };
    sets.iter().map(|set| value(set)).collect()
}

/// A form that is equal for names that differ only in case, in any script. Going through capitals brings together
/// what has more than one small form, such as the two sigmas, and letter by letter nothing depends on its neighbours.
pub fn fold_case(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

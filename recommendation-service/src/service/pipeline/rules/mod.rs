//! Scoring rules: each gives every movie a value, can say what that value comes from, and bounds it for whole blocks of
//! movies. A new rule is one file here, a [`RuleType`], and one line in [`rule`].

mod affinity;
mod collaborative;
mod genre_match;
mod language_match;
mod popularity;
mod rating;
mod recency;

use std::ops::Range;

use crate::models::{
    catalogue::Catalogue,
    feedback::FeedbackKind,
    recommendation::{Reason, Source},
    rule::RuleType,
    user_profile::UserProfile,
};

use super::{candidates::Scorer, linked_model::LinkedModel, weights::Weights};

pub use genre_match::fold_case;

/// Above this, a popularity or recency value is worth mentioning.
const NOTABLE: f64 = 0.7;

/// Most movies that are named as sources of a value.
const MAX_SOURCES: usize = 5;

/// A rule, made ready for one user at one time.
pub trait ScoringRule: Send + Sync {
    /// Which rule it is.
    fn rule_type(&self) -> RuleType;

    /// The value of the movie at `index`: 0 to 1, or -1 to 1 for a rule that can speak against a movie.
    fn value(&self, index: usize) -> f64;

    /// No movie of the block has a higher value.
    fn upper_bound(&self, block: usize) -> f64;

    /// Adds weight x value to `scores`, one for each movie of the range.
    fn add(&self, range: Range<usize>, weight: f64, scores: &mut [f64]) {
        scores.iter_mut().zip(range).for_each(|(score, index)| *score += weight * self.value(index));
    }

    /// Adds weight x upper bound to `bounds`, one for each block.
    fn add_bounds(&self, weight: f64, bounds: &mut [f64]) {
        bounds.iter_mut().enumerate().for_each(|(block, bound)| *bound += weight * self.upper_bound(block));
    }

    /// What is said about the value, if it is worth a word.
    fn reason(&self, _index: usize) -> Option<Reason> {
        None
    }

    /// For a learned value: the movies it comes from, largest share first.
    fn sources(&self, _index: usize) -> Vec<Source> {
        Vec::new()
    }
}

/// What rules are made from.
pub struct RuleContext<'a> {
    /// The movies.
    pub catalogue: &'a Catalogue,
    /// The user.
    pub profile: &'a UserProfile,
    /// What the user's feedback says now.
    pub signals: &'a [Signal],
    /// The collaborative model, if there is one.
    pub model: Option<&'a LinkedModel>,
    /// The highest popularity among the candidates.
    pub highest_popularity: f64,
    /// The day as a number.
    pub today: i32,
}

/// What one feedback of the user says now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// The movie's id.
    pub movie_id: i32,
    /// Its index, if it is in the catalogue.
    pub index: Option<usize>,
    /// What the user did.
    pub kind: FeedbackKind,
    /// From -1 to 1, faded by its age.
    pub strength: f64,
}

/// The movies that a value comes from, out of each with its part of the value: those that count for it, with their
/// shares of what counts for it, largest first.
fn sources<'a>(parts: impl Iterator<Item = (&'a Signal, f64)>) -> Vec<Source> {
    let mut parts: Vec<(&Signal, f64)> = parts.filter(|(_, part)| *part > 0.0).collect();
    let sum: f64 = parts.iter().map(|(_, part)| part).sum();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.movie_id.cmp(&b.0.movie_id)));
    let source =
        |(signal, part): (&Signal, f64)| Source { movie_id: signal.movie_id, kind: signal.kind, share: part / sum };
    parts.into_iter().take(MAX_SOURCES).map(source).collect()
}

/// The registry: each type of rule with what makes it.
fn rule<'a>(rule_type: RuleType, context: &RuleContext<'a>) -> Box<dyn ScoringRule + 'a> {
    match rule_type {
        RuleType::Popularity => Box::new(popularity::Popularity::new(context)),
        RuleType::Recency => Box::new(recency::Recency::new(context)),
        RuleType::GenreMatch => Box::new(genre_match::GenreMatch::new(context)),
        RuleType::Rating => Box::new(rating::Rating::new(context)),
        RuleType::LanguageMatch => Box::new(language_match::LanguageMatch::new(context)),
        RuleType::Affinity => Box::new(affinity::Affinity::new(context)),
        RuleType::Collaborative => Box::new(collaborative::Collaborative::new(context)),
    }
}

/// The rules that count for a user, with their weights.
pub struct ActiveRules<'a>(Vec<(f64, Box<dyn ScoringRule + 'a>)>);

impl<'a> ActiveRules<'a> {
    /// Makes the active rules ready.
    pub fn new(weights: &Weights, context: &RuleContext<'a>) -> Self {
        Self(weights.active().map(|(rule_type, weight)| (weight, rule(rule_type, context))).collect())
    }

    /// The rules in the order in which their contributions are added up.
    pub fn iter(&self) -> impl Iterator<Item = (f64, &(dyn ScoringRule + 'a))> {
        self.0.iter().map(|(weight, rule)| (*weight, &**rule))
    }
}

impl Scorer for ActiveRules<'_> {
    fn add_bounds(&self, bounds: &mut [f64]) {
        self.iter().for_each(|(weight, rule)| rule.add_bounds(weight, bounds));
    }

    fn add_scores(&self, range: Range<usize>, scores: &mut [f64]) {
        self.iter().for_each(|(weight, rule)| rule.add(range.clone(), weight, scores));
    }
}

//! How a movie was rated, with regard to how often: its weighted rating / 10, where
//!
//! ```text
//! weighted rating = (v x R + m x C) / (v + m)
//! R = the movie's average vote, v = its votes, C = the mean of all movies' average votes,
//! m = the votes that nine in ten rated movies do not exceed
//! ```
//!
//! This is the Bayesian average of IMDb's list of the best. A movie without votes has C.

use super::{RuleContext, ScoringRule};
use crate::models::{catalogue::Catalogue, recommendation::Reason, rule::RuleType};

/// Above this, it is worth mentioning.
const NOTABLE: f64 = 0.75;

pub(super) struct Rating<'a>(&'a Catalogue);

impl<'a> Rating<'a> {
    pub(super) fn new(context: &RuleContext<'a>) -> Self {
        Self(context.catalogue)
    }
}

impl ScoringRule for Rating<'_> {
    fn rule_type(&self) -> RuleType {
        RuleType::Rating
    }

    fn value(&self, index: usize) -> f64 {
        self.0.weighted_rating(index) / 10.0
    }

    fn upper_bound(&self, block: usize) -> f64 {
        self.0.blocks().highest_rating()[block] / 10.0
    }

    fn reason(&self, index: usize) -> Option<Reason> {
        (self.value(index) > NOTABLE).then_some(Reason::HighlyRated)
    }
}

//! Whether those who liked what the user liked liked the movie too. 0 for a movie that the model does not know.

use super::{RuleContext, ScoringRule};
use crate::models::rule::RuleType;

pub(super) struct Collaborative;

impl Collaborative {
    pub(super) fn new(_context: &RuleContext<'_>) -> Self {
        Self
    }
}

impl ScoringRule for Collaborative {
    fn rule_type(&self) -> RuleType {
        RuleType::Collaborative
    }

    fn value(&self, _index: usize) -> f64 {
        0.0
    }

    fn upper_bound(&self, _block: usize) -> f64 {
        0.0
    }
}

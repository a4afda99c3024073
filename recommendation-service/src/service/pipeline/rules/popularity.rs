//! How popular a movie is: its popularity / the highest among the candidates, 0 when that is 0.

use super::{NOTABLE, RuleContext, ScoringRule};
use crate::models::{catalogue::Catalogue, recommendation::Reason, rule::RuleType};

pub(super) struct Popularity<'a> {
    catalogue: &'a Catalogue,
    highest: f64,
}

impl<'a> Popularity<'a> {
    pub(super) fn new(context: &RuleContext<'a>) -> Self {
        Self { catalogue: context.catalogue, highest: context.highest_popularity }
    }

    fn of(&self, popularity: f64) -> f64 {
        if self.highest > 0.0 { (popularity / self.highest).max(0.0) } else { 0.0 }
    }
}

impl ScoringRule for Popularity<'_> {
    fn rule_type(&self) -> RuleType {
        RuleType::Popularity
    }

    fn value(&self, index: usize) -> f64 {
        self.of(self.catalogue.popularity()[index])
    }

    fn upper_bound(&self, block: usize) -> f64 {
        self.of(self.catalogue.blocks().highest_popularity()[block])
    }

    fn reason(&self, index: usize) -> Option<Reason> {
        (self.value(index) > NOTABLE).then_some(Reason::Popular)
    }
}

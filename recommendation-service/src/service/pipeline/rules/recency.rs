//! How new a movie is: 1 - (whole days from release to today, UTC) / 730, within 0..1. A future date counts as today,
//! no date counts 0.

use super::{NOTABLE, RuleContext, ScoringRule};
use crate::models::{catalogue::Catalogue, recommendation::Reason, rule::RuleType};

/// After so many days a movie is not recent at all.
const RECENT_DAYS: f64 = 730.0;

pub(super) struct Recency<'a> {
    catalogue: &'a Catalogue,
    today: i32,
}

impl<'a> Recency<'a> {
    pub(super) fn new(context: &RuleContext<'a>) -> Self {
        Self { catalogue: context.catalogue, today: context.today }
    }

    fn of(&self, release_day: i32) -> f64 {
        // No date is a day so long ago that the difference needs more than 32 bits.
        let days = (i64::from(self.today) - i64::from(release_day)).max(0);
        (1.0 - days as f64 / RECENT_DAYS).max(0.0)
    }
}

impl ScoringRule for Recency<'_> {
    fn rule_type(&self) -> RuleType {
        RuleType::Recency
    }

    fn value(&self, index: usize) -> f64 {
        self.of(self.catalogue.release_days()[index])
    }

    fn upper_bound(&self, block: usize) -> f64 {
        self.of(self.catalogue.blocks().latest_day()[block])
    }

    fn reason(&self, index: usize) -> Option<Reason> {
        (self.value(index) > NOTABLE).then_some(Reason::Recent)
    }
}

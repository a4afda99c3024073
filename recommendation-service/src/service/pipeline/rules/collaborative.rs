//! Whether those who liked what the user liked liked the movie too: the model's score for the movie / the highest of its
//! scores for this user. A movie that speaks against itself has a value below 0, at least -1; one that the model does not
//! know, and every movie while there is no model, has 0.
//!
//! The model is EASE (Steck 2019, arXiv 1905.03375) or, for large data, iALS; see `service/model`. The user's own
//! feedback is all that it needs, so feedback counts at once, without training.

use std::ops::Range;

use super::{RuleContext, ScoringRule, Signal};
use crate::{
    models::{blocks::BLOCK, catalogue::Catalogue, recommendation::Source, rule::RuleType},
    service::pipeline::linked_model::LinkedModel,
};

pub(super) struct Collaborative<'a> {
    catalogue: &'a Catalogue,
    model: Option<&'a LinkedModel>,
    signals: &'a [Signal],
    /// By index in the catalogue, ascending.
    values: Vec<(u32, f64)>,
    /// For each block.
    bounds: Vec<f64>,
}

impl<'a> Collaborative<'a> {
    pub(super) fn new(context: &RuleContext<'a>) -> Self {
        let RuleContext { catalogue, model, signals, .. } = *context;
        let values = model.map_or(Vec::new(), |model| values(model, signals));
        let mut bounds = vec![0.0_f64; catalogue.blocks().len()];
        for (index, value) in &values {
            let bound = &mut bounds[*index as usize / BLOCK];
            *bound = bound.max(*value);
        }
        Self { catalogue, model, signals, values, bounds }
    }

    /// The values of the movies of a range that have one.
    fn within(&self, range: &Range<usize>) -> &[(u32, f64)] {
        let start = self.values.partition_point(|(index, _)| (*index as usize) < range.start);
        let end = start + self.values[start..].partition_point(|(index, _)| (*index as usize) < range.end);
        &self.values[start..end]
    }
}

impl ScoringRule for Collaborative<'_> {
    fn rule_type(&self) -> RuleType {
        RuleType::Collaborative
    }

    fn value(&self, index: usize) -> f64 {
        self.within(&(index..index + 1)).first().map_or(0.0, |(_, value)| *value)
    }

    fn add(&self, range: Range<usize>, weight: f64, scores: &mut [f64]) {
        for (index, value) in self.within(&range) {
            scores[*index as usize - range.start] += weight * value;
        }
    }

    fn upper_bound(&self, block: usize) -> f64 {
        self.bounds[block]
    }

    fn sources(&self, index: usize) -> Vec<Source> {
        let Some(model) = self.model else { return Vec::new() };
        let mut signals: Vec<&Signal> = self.signals.iter().collect();
        signals.sort_unstable_by_key(|signal| signal.movie_id);
        let parts = model.model().contributions(&strengths(self.signals), self.catalogue.ids()[index]);
        super::sources(parts.into_iter().filter_map(|(movie_id, part)| {
            let place = signals.binary_search_by_key(&movie_id, |signal| signal.movie_id).ok()?;
            let signal = signals[place];
            (signal.strength > 0.0).then_some((signal, f64::from(part)))
        }))
    }
}

fn strengths(signals: &[Signal]) -> Vec<(i32, f32)> {
    signals.iter().map(|signal| (signal.movie_id, signal.strength as f32)).collect()
}

/// The model's scores, divided so that the highest is 1; where none is above 0, so that the lowest is -1.
fn values(model: &LinkedModel, signals: &[Signal]) -> Vec<(u32, f64)> {
    let mut values = model.scores(&strengths(signals));
    let highest = values.iter().map(|(_, score)| *score).fold(0.0, f64::max);
    let lowest = values.iter().map(|(_, score)| *score).fold(0.0, f64::min);
    let unit = if highest > 0.0 { highest } else { -lowest };
    if unit > 0.0 {
        values.iter_mut().for_each(|(_, value)| *value = (*value / unit).max(-1.0));
    }
    values
}

//! Says in numbers what a score is made of.

use super::{candidates::SCALE, rules::ActiveRules};
use crate::models::recommendation::{Contribution, Reason, Reasons, Source};

/// Each active rule's part of the score of the movie at `index`. The contributions have four decimals like the score and
/// sum to it exactly: each is rounded down, and what is missing goes, one ten-thousandth each, to those that lost most
/// (the largest remainder method of Hamilton).
pub fn contributions(rules: &ActiveRules<'_>, index: usize, scaled_score: f64) -> Vec<f64> {
    let exact: Vec<f64> = rules.iter().map(|(weight, rule)| weight * rule.value(index) * SCALE).collect();
    largest_remainder(&exact, scaled_score).into_iter().map(|scaled| scaled / SCALE).collect()
}

/// What the contributions to the score of the movie at `index` come from.
pub fn explain(rules: &ActiveRules<'_>, index: usize, contributions: &[f64]) -> Vec<Contribution> {
    let explained = |((weight, rule), contribution): ((f64, &dyn super::rules::ScoringRule), &f64)| Contribution {
        rule_type: rule.rule_type(),
        value: rule.value(index),
        weight,
        contribution: *contribution,
        sources: rule.sources(index),
    };
    rules.iter().zip(contributions).map(explained).collect()
}

/// Why the movie at `index` is recommended: the movie that says most for it, then what its rules say.
pub fn reasons(rules: &ActiveRules<'_>, index: usize, title: impl Fn(i32) -> Option<String>) -> Reasons {
    let because = |source: Source| Some(Reason::Because { kind: source.kind, title: title(source.movie_id)? });
    let mut learned: Vec<(f64, Vec<Source>)> = rules
        .iter()
        .filter(|(weight, rule)| rule.rule_type().is_learned() && weight * rule.value(index) > 0.0)
        .map(|(weight, rule)| (weight * rule.value(index), rule.sources(index)))
        .collect();
    learned.sort_by(|a, b| b.0.total_cmp(&a.0));
    let because = learned.into_iter().flat_map(|(_, sources)| sources).find_map(because);
    Reasons(because.into_iter().chain(rules.iter().filter_map(|(_, rule)| rule.reason(index))).collect())
}

/// Whole numbers near `parts` that sum to `sum`, itself the rounded sum of the parts.
fn largest_remainder(parts: &[f64], sum: f64) -> Vec<f64> {
    let mut rounded: Vec<f64> = parts.iter().map(|part| part.floor()).collect();
    let missing = (sum - rounded.iter().sum::<f64>()).max(0.0) as usize;
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|a, b| (parts[*b] - rounded[*b]).total_cmp(&(parts[*a] - rounded[*a])));
    order.into_iter().take(missing).for_each(|part| rounded[part] += 1.0);
    rounded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_rounding_down_loses_goes_to_those_that_lost_most() {
        assert_eq!(largest_remainder(&[1.2, 1.9, 1.5], 5.0), [1.0, 2.0, 2.0]);
        assert_eq!(largest_remainder(&[-0.5, 2.0], 2.0), [0.0, 2.0]);
        assert_eq!(largest_remainder(&[], 0.0), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn the_sum_is_exact_and_no_part_moves_by_one(parts in proptest::collection::vec(-10_000.0..10_000.0_f64, 1..8)) {
            let sum = parts.iter().sum::<f64>().round();
            let rounded = largest_remainder(&parts, sum);
            prop_assert_eq!(rounded.iter().sum::<f64>(), sum);
            prop_assert!(parts.iter().zip(&rounded).all(|(part, rounded)| (part - rounded).abs() <= 1.0));
        }
    }
}

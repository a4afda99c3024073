//! Chooses settings on a part of the training data: what is held out is never looked at.
//!
//! First how the collaborative model is trained and how it scores, every combination; then how fast feedback fades; then
//! the weight of each rule beside the collaborative one, which stays 1: one after the other, as often as that still helps.

use std::fmt;

use super::{
    contenders::Bench,
    dataset::Dataset,
    knowledge::Knowledge,
    metrics::{ListQuality, MovieFacts},
    split::Split,
};
use crate::{
    models::{catalogue_builder::BuildError, feedback::FeedbackSettings, rule::RuleType},
    service::{model::training::TrainingSettings, pipeline::weights::Weights},
};

/// Weights that are tried.
const WEIGHTS: [f64; 6] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.5];
/// Half-lives of feedback that are tried, in days.
const HALF_LIVES: [f64; 6] = [90.0, 365.0, 730.0, 1_460.0, 3_650.0, 36_500.0];
/// Rounds over all weights at most.
const MAX_ROUNDS: usize = 3;
/// What is better by less is not worth a setting.
const LEAST_GAIN: f64 = 1e-4;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// How the collaborative model is trained.
    pub training: TrainingSettings,
    /// The weight of each rule.
    pub weights: Weights,
    /// How fast feedback fades.
    pub feedback: FeedbackSettings,
    /// NDCG@10 on the validation part.
    pub ndcg_10: f64,
}

/// Searches among what `settings` leave open, for lists of users of `validation`.
///
/// # Errors
/// [`BuildError`] as [`Knowledge::new`].
pub fn tune(dataset: &Dataset, validation: &Split, settings: &TrainingSettings) -> Result<Tuned, BuildError> {
    let (users, facts) = (validation.test_users(), super::facts(dataset, validation));
    let alone: Weights = [(RuleType::Collaborative, 1.0)].into_iter().collect();
    let feedback = FeedbackSettings::default();
    let mut best = Tuned { training: settings.clone(), weights: alone, feedback, ndcg_10: f64::NEG_INFINITY };
    for training in candidates(settings) {
        let mut knowledge = Knowledge::new(dataset, validation, &training)?;
        for scoring in settings.scorings.iter().copied() {
            knowledge.model = knowledge.with_scoring(scoring);
            let ndcg_10 = score(&Bench::new(&knowledge, dataset, &users), &facts, &alone, &feedback);
            let training = TrainingSettings { scorings: vec![scoring], ..training.clone() };
            keep_better(&mut best, Tuned { training, weights: alone, feedback, ndcg_10 });
        }
    }
    let knowledge = Knowledge::new(dataset, validation, &best.training)?;
    let bench = Bench::new(&knowledge, dataset, &users);
    for half_life_days in HALF_LIVES {
        let feedback = FeedbackSettings { half_life_days, ..feedback };
        let ndcg_10 = score(&bench, &facts, &alone, &feedback);
        let tried = Tuned { feedback, ndcg_10, ..best.clone() };
        keep_better(&mut best, tried);
    }
    tune_weights(&mut best, &bench, &facts);
    Ok(best)
}

/// Every combination of what is left open in training, each without a choice.
fn candidates(settings: &TrainingSettings) -> Vec<TrainingSettings> {
    let first = settings.scorings.first().copied().into_iter().collect::<Vec<_>>();
    let mut all = Vec::new();
    for weighting in &settings.weightings {
        for ridge in &settings.ridges {
            let (weightings, ridges, scorings) = (vec![*weighting], vec![*ridge], first.clone());
            all.push(TrainingSettings { weightings, ridges, scorings, ..settings.clone() });
        }
    }
    all
}

fn tune_weights(best: &mut Tuned, bench: &Bench<'_>, facts: &MovieFacts<'_>) {
    for _ in 0..MAX_ROUNDS {
        let before = best.ndcg_10;
        for rule in RuleType::ALL.into_iter().filter(|rule| *rule != RuleType::Collaborative) {
            for weight in WEIGHTS {
                let weights = best.weights.with(&[(rule, weight)]);
                let ndcg_10 = score(bench, facts, &weights, &best.feedback);
                keep_better(best, Tuned { weights, ndcg_10, ..best.clone() });
            }
        }
        if best.ndcg_10 < before + LEAST_GAIN {
            break;
        }
    }
}

fn score(bench: &Bench<'_>, facts: &MovieFacts<'_>, weights: &Weights, feedback: &FeedbackSettings) -> f64 {
    let lists = bench.lists_with(weights, feedback);
    let values =
        lists.iter().zip(bench.users).map(|(list, user)| ListQuality::new(list, &user.relevant, facts).ndcg_10);
    values.sum::<f64>() / bench.users.len().max(1) as f64
}

fn keep_better(best: &mut Tuned, other: Tuned) {
    if other.ndcg_10 > best.ndcg_10 + LEAST_GAIN {
        *best = other;
    }
}

/// What was found, in words.
impl fmt::Display for Tuned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weights: Vec<String> = self.weights.active().map(|(rule, weight)| format!("{rule} {weight}")).collect();
        let TrainingSettings { weightings, ridges, scorings, .. } = &self.training;
        write!(
            formatter,
            "tuned on the validation part (NDCG@10 {:.4}): {}; half-life {} days; ridge {ridges:?}, likes {weightings:?}, {scorings:?}",
            self.ndcg_10,
            weights.join(", "),
            self.feedback.half_life_days,
        )
    }
}

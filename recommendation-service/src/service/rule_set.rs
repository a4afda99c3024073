//! What lists are scored by: one set of rules, or two while an experiment runs.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::pipeline::weights::Weights;
use crate::models::{
    experiment::Experiment, feedback::FeedbackSettings, recorded_list::Arm, rule::Rule, user_id::UserId,
};

/// What lists are scored by.
#[derive(Debug, PartialEq)]
pub struct RuleSet {
    /// What each type of rule counts.
    pub weights: Weights,
    /// What each kind of feedback says.
    pub feedback: FeedbackSettings,
    /// The side of the experiment, if one runs.
    pub arm: Option<Arm>,
    /// Changes with the others.
    pub version: String,
}

impl RuleSet {
    /// Of the rules of one variant among `rules`.
    fn new(rules: &[Rule], variant: &str, feedback: FeedbackSettings, experiment: Option<&Experiment>) -> Self {
        let rules: Vec<Rule> = rules.iter().filter(|rule| rule.variant == variant).cloned().collect();
        let weights = Weights::from_rules(&rules).with_learned_defaults(&rules);
        let arm = experiment.map(|Experiment { name, .. }| Arm { experiment: name.clone(), variant: variant.into() });
        let text = format!("{weights:?} {feedback:?} {arm:?}");
        let version = Sha256::digest(text)[..8].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Self { weights, feedback, arm, version }
    }
}

/// The set of each user.
#[derive(Debug, PartialEq)]
pub struct RuleSets {
    default: Arc<RuleSet>,
    running: Option<Running>,
}

/// An experiment with its two sets.
#[derive(Debug, PartialEq)]
struct Running {
    experiment: Experiment,
    control: Arc<RuleSet>,
    treatment: Arc<RuleSet>,
}

impl RuleSets {
    /// Of all rules of all variants.
    pub fn new(rules: &[Rule], feedback: FeedbackSettings, experiment: Option<Experiment>) -> Self {
        let set = |variant: &str, experiment: Option<&Experiment>| {
            Arc::new(RuleSet::new(rules, variant, feedback, experiment))
        };
        let running = experiment.map(|experiment| Running {
            control: set(&experiment.control, Some(&experiment)),
            treatment: set(&experiment.treatment, Some(&experiment)),
            experiment,
        });
        Self { default: set("", None), running }
    }

    /// The experiment that runs.
    pub fn experiment(&self) -> Option<&Experiment> {
        self.running.as_ref().map(|running| &running.experiment)
    }

    /// The set for a user; the default one for who is nobody's or several users'.
    pub fn of(&self, user: Option<UserId>) -> &Arc<RuleSet> {
        match (&self.running, user) {
            (Some(running), Some(user)) if running.experiment.treats(user) => &running.treatment,
            (Some(running), Some(_)) => &running.control,
            _ => &self.default,
        }
    }
}

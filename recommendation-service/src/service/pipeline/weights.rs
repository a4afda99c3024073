//! How much each rule counts.

use crate::models::rule::{Rule, RuleType};

/// Largest weight of a type of rule. Below it a sum of a few times 10,000 is far from losing its decimals.
pub const MAX_WEIGHT: f64 = 1_000_000.0;

/// What the rules that learn from feedback count as long as no rule in the table says otherwise.
pub const LEARNED_DEFAULTS: [(RuleType, f64); 4] = [
    (RuleType::Rating, 0.2),
    (RuleType::LanguageMatch, 0.05),
    (RuleType::Affinity, 0.5),
    (RuleType::Collaborative, 10.0),
];

/// The weight of each type of rule; `None` where no rule is active.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weights([Option<f64>; RuleType::COUNT]);

impl Weights {
    /// Adds up the active rules by type. A weight that is no number, or negative, counts 0; types that are not known
    /// count nothing.
    pub fn from_rules(rules: &[Rule]) -> Self {
        let mut weights = Self::default();
        for rule in rules.iter().filter(|rule| rule.is_active) {
            let Ok(rule_type) = rule.rule_type.parse() else { continue };
            let sum = weights.get(rule_type).unwrap_or(0.0);
            // `max` before `min` also turns NaN into 0.
            weights.set(rule_type, (sum + rule.weight.max(0.0)).min(MAX_WEIGHT));
        }
        weights
    }

    /// Of a type of rule.
    pub fn get(&self, rule_type: RuleType) -> Option<f64> {
        self.0[rule_type as usize]
    }

    /// Changes the weight of a type of rule.
    pub fn set(&mut self, rule_type: RuleType, weight: f64) {
        self.0[rule_type as usize] = Some(weight);
    }

    /// The same with other weights of some types.
    #[must_use]
    pub fn with(mut self, weights: &[(RuleType, f64)]) -> Self {
        weights.iter().for_each(|(rule_type, weight)| self.set(*rule_type, *weight));
        self
    }

    /// Adds the defaults of the learned rules; a rule of the table decides instead of the default of its type, also one
    /// that is not active.
    #[must_use]
    pub fn with_learned_defaults(self, rules: &[Rule]) -> Self {
        let is_decided = |rule_type: RuleType| rules.iter().any(|rule| rule.rule_type == rule_type.name());
        let defaults: Vec<_> = LEARNED_DEFAULTS.into_iter().filter(|(rule_type, _)| !is_decided(*rule_type)).collect();
        self.with(&defaults)
    }

    /// Only the rules that need no feedback.
    #[must_use]
    pub fn without_learned(self) -> Self {
        RuleType::ALL.into_iter().filter(|rule_type| rule_type.is_learned()).fold(self, Self::without)
    }

    /// The same without a type of rule.
    #[must_use]
    pub fn without(mut self, rule_type: RuleType) -> Self {
        self.0[rule_type as usize] = None;
        self
    }

    /// The active types with their weights, in the order in which scores are added up.
    pub fn active(&self) -> impl Iterator<Item = (RuleType, f64)> {
        RuleType::ALL.into_iter().filter_map(|rule_type| Some((rule_type, self.get(rule_type)?)))
    }

    /// The highest score that can come out, before rounding.
    pub fn sum(&self) -> f64 {
        self.0.iter().flatten().sum()
    }
}

/// What a rule that learns from feedback counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnedRule {
    /// The rule.
    pub rule_type: RuleType,
    /// Its weight; 0 when it is switched off.
    pub weight: f64,
    /// Whether that is the default, since no rule of the table decides.
    pub is_default: bool,
}

/// The rules that learn, in the order in which scores are added up, given all rules of a variant.
pub fn learned_rules(rules: &[Rule]) -> Vec<LearnedRule> {
    let weights = Weights::from_rules(rules).with_learned_defaults(rules);
    let learned = |(rule_type, _): (RuleType, f64)| LearnedRule {
        rule_type,
        weight: weights.get(rule_type).unwrap_or(0.0),
        is_default: rules.iter().all(|rule| rule.rule_type != rule_type.name()),
    };
    LEARNED_DEFAULTS.into_iter().map(learned).collect()
}

impl FromIterator<(RuleType, f64)> for Weights {
    fn from_iter<I: IntoIterator<Item = (RuleType, f64)>>(weights: I) -> Self {
        let mut all = Self::default();
        weights.into_iter().for_each(|(rule_type, weight)| all.set(rule_type, weight));
        all
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn rule(rule_type: &str, weight: f64, is_active: bool) -> Rule {
        let (name, time) = (String::new(), DateTime::<Utc>::UNIX_EPOCH);
        let (rule_type, variant) = (rule_type.into(), String::new());
        Rule { id: 1, name, weight, rule_type, is_active, variant, created_at: time, updated_at: time }
    }

    #[test]
    fn rules_of_one_type_add_up_and_unknown_or_inactive_ones_count_nothing() {
        let rules = [
            rule("popularity", 0.25, true),
            rule("popularity", 0.5, true),
            rule("recency", 0.3, false),
            rule("phase_of_the_moon", 9.0, true),
            rule("genre_match", f64::NAN, true),
        ];
        let weights = Weights::from_rules(&rules);
        assert_eq!(weights, [(RuleType::Popularity, 0.75), (RuleType::GenreMatch, 0.0)].into_iter().collect());
        let huge = Weights::from_rules(&[rule("recency", f64::MAX, true), rule("recency", f64::INFINITY, true)]);
        assert_eq!(huge.get(RuleType::Recency), Some(MAX_WEIGHT));
    }

    #[test]
    fn a_rule_of_the_table_decides_instead_of_the_default_also_when_it_is_not_active() {
        let rules = [rule("affinity", 2.0, true), rule("rating", 1.0, false)];
        let weights = Weights::from_rules(&rules).with_learned_defaults(&rules);
        assert_eq!((weights.get(RuleType::Affinity), weights.get(RuleType::Rating)), (Some(2.0), None));
        assert!(weights.get(RuleType::Collaborative).is_some_and(|weight| weight > 0.0));
        assert_eq!(weights.without_learned(), Weights::default());
        let learned: Vec<_> = learned_rules(&rules).iter().map(|rule| (rule.weight, rule.is_default)).collect();
        let default = |rule_type| LEARNED_DEFAULTS.into_iter().find(|(other, _)| *other == rule_type).expect("one").1;
        let (language, collaborative) = (default(RuleType::LanguageMatch), default(RuleType::Collaborative));
        assert_eq!(learned, [(0.0, false), (language, true), (2.0, false), (collaborative, true)]);
    }
}

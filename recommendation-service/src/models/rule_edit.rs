//! Changes of rules: what may be stored, and what was.

use chrono::{DateTime, Utc};

use super::rule::{RuleId, RuleType};

/// Longest name of a rule, in characters.
const MAX_NAME: usize = 100;
/// Longest name of a variant, in bytes.
const MAX_VARIANT: usize = 50;
/// Highest weight that can be set.
const MAX_WEIGHT: f64 = 10.0;

/// A field of a rule that cannot have this value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {field}, expected {expected}")]
pub struct InvalidRule {
    /// The field.
    pub field: &'static str,
    /// What it may be.
    pub expected: String,
}

fn invalid(field: &'static str, expected: impl Into<String>) -> InvalidRule {
    InvalidRule { field, expected: expected.into() }
}

/// The name of a rule: 1 to 100 characters, not only blanks, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleName(String);

impl RuleName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`InvalidRule`].
    pub fn new(text: String) -> Result<Self, InvalidRule> {
        let is_name = !text.trim().is_empty() && text.chars().count() <= MAX_NAME && !text.contains(char::is_control);
        if is_name { Ok(Self(text)) } else { Err(invalid("name", "1 to 100 characters")) }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How much a rule counts: 0 to 10.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleWeight(f64);

impl RuleWeight {
    /// Checks a weight.
    ///
    /// # Errors
    /// [`InvalidRule`].
    pub fn new(weight: f64) -> Result<Self, InvalidRule> {
        // Adding 0 turns -0 into 0.
        let is_weight = (0.0..=MAX_WEIGHT).contains(&weight);
        if is_weight { Ok(Self(weight + 0.0)) } else { Err(invalid("weight", "a number from 0 to 10")) }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// The name of a set of rules: up to 50 lower-case letters, digits, `_` and `-`; the default set's is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variant(String);

impl Variant {
    /// What a variant may be, for errors.
    pub const EXPECTED: &str = "up to 50 lower-case letters, digits, _ and -";

    /// Checks a variant.
    ///
    /// # Errors
    /// [`InvalidRule`].
    pub fn new(text: String) -> Result<Self, InvalidRule> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        let is_variant = text.len() <= MAX_VARIANT && text.bytes().all(is_allowed);
        if is_variant { Ok(Self(text)) } else { Err(invalid("variant", Self::EXPECTED)) }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads the type of a rule.
///
/// # Errors
/// [`InvalidRule`] for a type that is not known.
pub fn rule_type(text: &str) -> Result<RuleType, InvalidRule> {
    text.parse().map_err(|()| invalid("rule_type", RuleType::ALL.map(RuleType::name).join(", ")))
}

/// A whole rule, to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRule {
    /// Unique within the variant.
    pub name: RuleName,
    /// How much it counts.
    pub weight: RuleWeight,
    /// What it looks at.
    pub rule_type: RuleType,
    /// Whether it counts.
    pub is_active: bool,
    /// The set that it belongs to.
    pub variant: Variant,
}

/// Some fields of a rule; the others stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RulePatch {
    /// Another name.
    pub name: Option<RuleName>,
    /// Another weight.
    pub weight: Option<RuleWeight>,
    /// Another type.
    pub rule_type: Option<RuleType>,
    /// Whether it counts from now on.
    pub is_active: Option<bool>,
    /// Another set.
    pub variant: Option<Variant>,
}

impl TryFrom<RulePatch> for NewRule {
    type Error = InvalidRule;

    /// The first three fields must be there; a rule is active and of the default set unless it says otherwise.
    fn try_from(patch: RulePatch) -> Result<Self, InvalidRule> {
        Ok(Self {
            name: patch.name.map_or_else(|| RuleName::new(String::new()), Ok)?,
            weight: patch.weight.map_or_else(|| RuleWeight::new(f64::NAN), Ok)?,
            rule_type: patch.rule_type.map_or_else(|| rule_type(""), Ok)?,
            is_active: patch.is_active.unwrap_or(true),
            variant: patch.variant.unwrap_or_default(),
        })
    }
}

impl From<NewRule> for RulePatch {
    fn from(rule: NewRule) -> Self {
        Self {
            name: Some(rule.name),
            weight: Some(rule.weight),
            rule_type: Some(rule.rule_type),
            is_active: Some(rule.is_active),
            variant: Some(rule.variant),
        }
    }
}

/// A change of a rule: its state afterwards, or the last one when it was deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleChange {
    /// The number of the change.
    pub id: i64,
    /// The rule's id.
    pub rule_id: i64,
    /// The revision of all rules that it made.
    pub revision: i64,
    /// `created`, `updated` or `deleted`.
    pub action: String,
    /// The rule's name.
    pub name: String,
    /// Its weight.
    pub weight: f64,
    /// Its type.
    pub rule_type: String,
    /// Whether it counted.
    pub is_active: bool,
    /// Its set.
    pub variant: String,
    /// When it was changed.
    pub changed_at: DateTime<Utc>,
}

/// A page of a rule's history, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPage {
    /// The rule; it may be deleted.
    pub rule: RuleId,
    /// How many changes at most.
    pub limit: i64,
    /// Only changes with a smaller number.
    pub before: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_100_characters_and_no_control_characters() {
        for text in ["x", " x ", &"ä".repeat(100)] {
            assert!(RuleName::new(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["", "  ", "a\0b", "a\nb", &"x".repeat(101)] {
            assert_eq!(RuleName::new(text.to_owned()).map_err(|error| error.field), Err("name"), "{text}");
        }
    }

    #[test]
    fn a_weight_is_a_number_from_0_to_10() {
        for weight in [0.0, -0.0, 0.35, 10.0] {
            assert!(RuleWeight::new(weight).is_ok_and(|weight| weight.get().is_sign_positive()), "{weight}");
        }
        for weight in [-0.1, 10.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(RuleWeight::new(weight).map_err(|error| error.field), Err("weight"), "{weight}");
        }
    }

    #[test]
    fn a_variant_is_a_short_word_or_empty() {
        for text in ["", "b", "more-affinity_2", &"x".repeat(50)] {
            assert!(Variant::new(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["B", "a b", "ä", "a\0", &"x".repeat(51)] {
            assert_eq!(Variant::new(text.to_owned()).map_err(|error| error.field), Err("variant"), "{text}");
        }
    }

    #[test]
    fn a_whole_rule_needs_its_name_its_weight_and_its_type() {
        let full = RulePatch {
            name: RuleName::new("New".into()).ok(),
            weight: RuleWeight::new(1.0).ok(),
            rule_type: Some(RuleType::Rating),
            ..RulePatch::default()
        };
        let rule = NewRule::try_from(full.clone()).expect("all that is needed");
        assert!(rule.is_active && rule.variant.as_str().is_empty());
        let missing = |patch: RulePatch| NewRule::try_from(patch).map_err(|error| error.field);
        assert_eq!(missing(RulePatch { name: None, ..full.clone() }), Err("name"));
        assert_eq!(missing(RulePatch { weight: None, ..full.clone() }), Err("weight"));
        assert_eq!(missing(RulePatch { rule_type: None, ..full }), Err("rule_type"));
    }
}

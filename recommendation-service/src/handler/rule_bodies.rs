//! Rules as clients send them.

use serde::Deserialize;
use utoipa::ToSchema;

use super::request_validation::number;
use crate::models::rule_edit::{InvalidRule, NewRule, RuleName, RulePatch, RuleWeight, Variant, rule_type};

/// A whole rule.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewRule)]
pub struct RuleBody {
    /// Unique within its variant. No control characters.
    #[schema(required, value_type = String, example = "Well Rated", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// How much it counts.
    #[serde(default, deserialize_with = "number::float")]
    #[schema(required, value_type = f64, example = 0.5, minimum = 0, maximum = 10)]
    weight: Option<f64>,
    /// `popularity`, `recency`, `genre_match`, `rating`, `language_match`, `affinity` or `collaborative`; one active rule a
    /// type and variant.
    #[schema(
        required,
        value_type = String,
        example = "rating",
        pattern = "^(popularity|recency|genre_match|rating|language_match|affinity|collaborative)$"
    )]
    rule_type: Option<String>,
    /// Whether it counts; true by default. An inactive rule of a type that learns switches its type off.
    #[schema(nullable, example = true)]
    is_active: Option<bool>,
    /// The set of rules that it belongs to; by default the default one, `""`.
    #[schema(nullable, example = "", max_length = 50, pattern = "^[a-z0-9_-]*$")]
    variant: Option<String>,
}

impl TryFrom<RuleBody> for NewRule {
    type Error = InvalidRule;

    fn try_from(body: RuleBody) -> Result<Self, InvalidRule> {
        let RuleBody { name, weight, rule_type, is_active, variant } = body;
        RulePatch::try_from(RulePatchBody { name, weight, rule_type, is_active, variant })?.try_into()
    }
}

/// Some fields of a rule; what is left out (or null) stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RulePatch)]
pub struct RulePatchBody {
    /// Unique within its variant. No control characters.
    #[schema(nullable, example = "Well Rated", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// How much it counts.
    #[serde(default, deserialize_with = "number::float")]
    #[schema(nullable, example = 0.5, minimum = 0, maximum = 10)]
    weight: Option<f64>,
    /// One of those that a new rule may have.
    #[schema(
        nullable,
        example = "rating",
        pattern = "^(popularity|recency|genre_match|rating|language_match|affinity|collaborative)$"
    )]
    rule_type: Option<String>,
    /// Whether it counts.
    #[schema(nullable, example = false)]
    is_active: Option<bool>,
    /// The set of rules that it belongs to.
    #[schema(nullable, example = "", max_length = 50, pattern = "^[a-z0-9_-]*$")]
    variant: Option<String>,
}

impl TryFrom<RulePatchBody> for RulePatch {
    type Error = InvalidRule;

    fn try_from(body: RulePatchBody) -> Result<Self, InvalidRule> {
        Ok(Self {
            name: body.name.map(RuleName::new).transpose()?,
            weight: body.weight.map(RuleWeight::new).transpose()?,
            rule_type: body.rule_type.as_deref().map(rule_type).transpose()?,
            is_active: body.is_active,
            variant: body.variant.map(Variant::new).transpose()?,
        })
    }
}

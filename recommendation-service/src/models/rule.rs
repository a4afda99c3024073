//! Rules: what counts in a score, and how much.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A rule of scoring.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Rule {
    /// Its id.
    #[schema(example = 1)]
    pub id: i64,
    /// What people call it.
    #[schema(example = "Popularity Score")]
    pub name: String,
    /// How much it counts.
    #[schema(example = 0.4, minimum = 0, maximum = 1000)]
    pub weight: f64,
    /// What it looks at: `popularity`, `recency` or `genre_match`; others count nothing.
    #[schema(example = "popularity")]
    pub rule_type: String,
    /// Whether it counts; always true in the list.
    pub is_active: bool,
    /// When it was made.
    #[serde(serialize_with = "rfc3339")]
    #[schema(example = "2026-11-22T12:00:00.000000Z")]
    pub created_at: DateTime<Utc>,
}

/// The rules that count.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleList {
    /// By type, then by id.
    pub rules: Vec<Rule>,
}

/// A time as RFC 3339 in UTC, with `Z`.
pub fn rfc3339<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

//! Rules: what counts in a score, and how much.

use chrono::{DateTime, Utc};

/// A rule of scoring.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// How much it counts.
    pub weight: f64,
    /// What it looks at: `popularity`, `recency` or `genre_match`; others count nothing.
    pub rule_type: String,
    /// Whether it counts.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

//! Rules: what counts in a score, and how much.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use super::user_id::{UserId, UserIdError};

/// A rule's id: a number above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleId(i64);

/// Why a text is not a rule's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleIdError {
    /// Not a decimal number above 0.
    #[error("not a number above 0")]
    Invalid,
    /// A number, but larger than any id can be.
    #[error("a number larger than any id")]
    TooLarge,
}

impl RuleId {
    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl FromStr for RuleId {
    type Err = RuleIdError;

    /// Written as the id of a user.
    fn from_str(text: &str) -> Result<Self, RuleIdError> {
        match text.parse().map(UserId::get) {
            Ok(id) => Ok(Self(id)),
            Err(UserIdError::Invalid) => Err(RuleIdError::Invalid),
            Err(UserIdError::TooLarge) => Err(RuleIdError::TooLarge),
        }
    }
}

/// A rule of scoring.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// How much it counts.
    pub weight: f64,
    /// What it looks at, the name of a [`RuleType`]; others count nothing.
    pub rule_type: String,
    /// Whether it counts.
    pub is_active: bool,
    /// The set of rules that it belongs to; `""` is the default one.
    pub variant: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleType {
    /// How popular a movie is.
    Popularity,
    /// How new it is.
    Recency,
    /// How many of its genres the user prefers.
    GenreMatch,
    /// How it was rated, with regard to how often.
    Rating,
    /// Whether it is in the language that the user prefers.
    LanguageMatch,
    /// How near it is to what the user liked: genres, language, era.
    Affinity,
    /// Whether those who liked what the user liked liked it too.
    Collaborative,
}

impl RuleType {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, in the order in which scores are added up.
    pub const ALL: [Self; 7] = [
        Self::Popularity,
        Self::Recency,
        Self::GenreMatch,
        Self::Rating,
        Self::LanguageMatch,
        Self::Affinity,
        Self::Collaborative,
    ];

    /// Its name in the table and in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popularity => "popularity",
            Self::Recency => "recency",
            Self::GenreMatch => "genre_match",
            Self::Rating => "rating",
            Self::LanguageMatch => "language_match",
            Self::Affinity => "affinity",
            Self::Collaborative => "collaborative",
        }
    }

    /// Whether it counts only for users about whom more is known than their preferences.
    pub fn is_learned(self) -> bool {
        !matches!(self, Self::Popularity | Self::Recency | Self::GenreMatch)
    }
}

impl fmt::Display for RuleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RuleType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|rule_type| rule_type.name() == text).ok_or(())
    }
}

//! Which rules count for a user.

use std::{fmt, str::FromStr};

use super::user_profile::UserProfile;

/// What a list is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Popularity and release dates, for a user about whom nothing is known.
    Popular,
    /// The same and the preferences that the user stated.
    PreferencesOnly,
    /// All rules, also those that learn from what the user did.
    Personalised,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Popular, Self::PreferencesOnly, Self::Personalised];

    /// The one that suits what is known about a user.
    pub fn of(profile: &UserProfile) -> Self {
        if !profile.feedback.is_empty() {
            Self::Personalised
        } else if !profile.preferred_genres.is_empty() || profile.min_rating > 0.0 {
            Self::PreferencesOnly
        } else {
            Self::Popular
        }
    }

    /// Its name in requests and responses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popular => "popular",
            Self::PreferencesOnly => "preferences_only",
            Self::Personalised => "personalised",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Strategy {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == text).ok_or(())
    }
}

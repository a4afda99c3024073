//! A request for recommendations and its result.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};

use super::{catalogue::Catalogue, user_id::UserId};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct RecommendationRequest {
    /// For whom.
    pub user: UserId,
    /// At most how many movies.
    pub limit: usize,
    /// Whether movies that the user has seen are candidates too.
    pub include_seen: bool,
}

/// The movies recommended to a user.
#[derive(Debug)]
pub struct Recommendations {
    /// For whom.
    pub user: UserId,
    /// The catalogue that `movies` index.
    pub catalogue: Arc<Catalogue>,
    /// Best first.
    pub movies: Vec<RankedMovie>,
    /// When they were scored, in whole microseconds.
    pub generated_at: DateTime<Utc>,
    /// Why the profile was left out, if it was.
    pub degraded: Option<DegradedReason>,
}

/// Why recommendations are general although the user exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DegradedReason {
    /// user-preference-service gave no answer, or an error.
    #[error("user-preference-service is unavailable")]
    ProfileUnavailable,
    /// user-preference-service sent something else than the user's profile.
    #[error("user-preference-service sent an unreadable profile")]
    ProfileUnreadable,
}

/// A recommended movie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankedMovie {
    /// Its index in the catalogue.
    pub index: usize,
    /// Its score, to four decimals.
    pub score: f64,
    /// Why it is recommended.
    pub reasons: Reasons,
}

/// Why a movie is recommended. Shown as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Its popularity value counts and is above 0.7.
    pub popular: bool,
    /// Its recency value counts and is above 0.7.
    pub recent: bool,
    /// Its genre value counts and is above 0.
    pub genre: bool,
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = [
            (self.popular, "highly popular"),
            (self.recent, "recently released"),
            (self.genre, "matches your preferred genres"),
        ];
        let mut separator = "";
        for (_, text) in reasons.iter().filter(|(holds, _)| *holds) {
            write!(f, "{separator}{text}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("recommended for you") } else { Ok(()) }
    }
}

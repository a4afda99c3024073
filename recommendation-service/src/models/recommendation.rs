//! A request for recommendations and its result.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    catalogue::Catalogue, feedback::FeedbackKind, list_request::ListRequest, recorded_list::Arm, rule::RuleType,
    strategy::Strategy, user_id::UserId,
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct RecommendationRequest {
    /// For whom.
    pub user: UserId,
    /// Which list.
    pub list: ListRequest,
}

/// The movies recommended to a user.
#[derive(Debug)]
pub struct Recommendations {
    /// The list's own name, by which events refer to it.
    pub id: String,
    /// For whom; `None` for a visitor without an account.
    pub user: Option<UserId>,
    /// What it was made from.
    pub strategy: Strategy,
    /// The rules that counted, with their weights.
    pub rules: Vec<(RuleType, f64)>,
    /// The side of the experiment that the user is on, if one runs.
    pub arm: Option<Arm>,
    /// The catalogue that `movies` index.
    pub catalogue: Arc<Catalogue>,
    /// Best first.
    pub movies: Vec<RankedMovie>,
    /// How many movies were left out.
    pub excluded: Excluded,
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

/// How many movies were left out, and why; each counts for the first reason only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Excluded {
    /// The user has seen them.
    pub seen: usize,
    /// They are rated below the user's minimum.
    pub below_min_rating: usize,
    /// The request does not want them.
    pub filtered: usize,
}

/// A recommended movie.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedMovie {
    /// Its index in the catalogue.
    pub index: usize,
    /// Its score, to four decimals.
    pub score: f64,
    /// Why it is recommended.
    pub reasons: Reasons,
    /// Whether the user wants to watch it already.
    pub is_watchlisted: bool,
    /// Each rule's part of the score, to four decimals, in the order of the rules; they sum to it.
    pub contributions: Vec<f64>,
    /// What its score is made of, if that was asked for.
    pub explanation: Option<Vec<Contribution>>,
}

/// A rule's part of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The rule.
    pub rule_type: RuleType,
    /// What the rule gives the movie.
    pub value: f64,
    /// What the rule counts.
    pub weight: f64,
    /// The part, to four decimals; the parts of a movie sum to its score.
    pub contribution: f64,
    /// For a learned value: the movies it comes from, largest share first.
    pub sources: Vec<Source>,
}

/// A movie that a learned value comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// Its id.
    pub movie_id: i32,
    /// What the user did with it.
    pub kind: FeedbackKind,
    /// Its part of what counts for the value, 0 to 1.
    pub share: f64,
}

/// Why a movie is recommended. Shown as text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasons(pub Vec<Reason>);

/// One reason.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The user did something with this movie.
    Because {
        /// What.
        kind: FeedbackKind,
        /// The movie's title.
        title: String,
    },
    /// Its popularity value is above 0.7.
    Popular,
    /// Its recency value is above 0.7.
    Recent,
    /// Its genre value is above 0.
    PreferredGenres,
    /// Its weighted rating is above 7.5.
    HighlyRated,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Because { kind: FeedbackKind::Rating(value), title } => {
                write!(f, "because you rated {title} {value}")
            }
            Self::Because { kind: FeedbackKind::Watched, title } => write!(f, "because you watched {title}"),
            Self::Because { title, .. } => write!(f, "because you liked {title}"),
            Self::Popular => f.write_str("highly popular"),
            Self::Recent => f.write_str("recently released"),
            Self::PreferredGenres => f.write_str("matches your preferred genres"),
            Self::HighlyRated => f.write_str("highly rated"),
        }
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for reason in &self.0 {
            write!(f, "{separator}{reason}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("recommended for you") } else { Ok(()) }
    }
}

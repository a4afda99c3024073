//! Recommendations for several users together.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    catalogue::Catalogue,
    list_request::MovieFilter,
    recommendation::{DegradedReason, Excluded},
    user_id::UserId,
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRequest {
    /// For whom: 2 to 50 users, each once.
    pub users: Vec<UserId>,
    /// How the members' scores become one.
    pub aggregation: Aggregation,
    /// At most how many movies.
    pub limit: usize,
    /// How many of the best movies are left out, as they were shown already.
    pub offset: usize,
    /// Which movies are wanted.
    pub filter: MovieFilter,
}

/// How the scores of a movie for each member become its score for the group (Masthoff 2004).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Aggregation {
    /// Their mean.
    #[default]
    Average,
    /// The lowest: nobody is to be unhappy.
    LeastMisery,
    /// The highest: somebody is to be delighted.
    MostPleasure,
}

impl Aggregation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Average, Self::LeastMisery, Self::MostPleasure];

    /// Its name in requests and responses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::LeastMisery => "least_misery",
            Self::MostPleasure => "most_pleasure",
        }
    }

    /// Of the scores of all members, at least one.
    pub fn of(self, scores: impl ExactSizeIterator<Item = f64>) -> f64 {
        let members = scores.len() as f64;
        match self {
            Self::Average => scores.sum::<f64>() / members,
            Self::LeastMisery => scores.fold(f64::INFINITY, f64::min),
            Self::MostPleasure => scores.fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Aggregation {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|aggregation| aggregation.name() == text).ok_or(())
    }
}

/// The movies recommended to a group.
#[derive(Debug)]
pub struct GroupRecommendations {
    /// The list's own name, by which events refer to it.
    pub id: String,
    /// What was asked for.
    pub request: GroupRequest,
    /// The catalogue that `movies` index.
    pub catalogue: Arc<Catalogue>,
    /// Best first.
    pub movies: Vec<GroupMovie>,
    /// How many movies were left out.
    pub excluded: Excluded,
    /// When they were scored, in whole microseconds.
    pub generated_at: DateTime<Utc>,
    /// Why the profiles were left out, if they were.
    pub degraded: Option<DegradedReason>,
}

/// A movie recommended to a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupMovie {
    /// Its index in the catalogue.
    pub index: usize,
    /// Its score for the group, to four decimals.
    pub score: f64,
    /// Its score for each member, to four decimals, in the order of the members.
    pub members: Vec<f64>,
    /// Whether all members want to watch it already.
    pub is_on_all_watchlists: bool,
}

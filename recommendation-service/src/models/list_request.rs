//! How a list of recommendations is wanted.

use super::{rule::RuleType, strategy::Strategy};

/// What is asked for, besides for whom.
#[derive(Debug, Clone, PartialEq)]
pub struct ListRequest {
    /// At most how many movies.
    pub limit: usize,
    /// How many of the best movies are left out, as they were shown already.
    pub offset: usize,
    /// Whether movies that the user has seen are candidates too.
    pub include_seen: bool,
    /// The strategy, if not the one that suits what is known about the user.
    pub strategy: Option<Strategy>,
    /// Which movies are wanted.
    pub filter: MovieFilter,
    /// Weights for this request only; other rules keep theirs.
    pub weights: Vec<(RuleType, f64)>,
    /// How much movies of a list should differ from each other, 0 (only the score counts) to 1.
    pub diversity: f64,
    /// How much chance has a say.
    pub exploration: Exploration,
    /// Whether each movie is explained in numbers.
    pub explain: bool,
}

impl Default for ListRequest {
    fn default() -> Self {
        Self {
            limit: 10,
            offset: 0,
            include_seen: false,
            strategy: None,
            filter: MovieFilter::default(),
            weights: Vec::new(),
            diversity: 0.0,
            exploration: Exploration::default(),
            explain: false,
        }
    }
}

/// Chance that is the same for the same seed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Exploration {
    /// How much chance counts beside the score, 0 (not at all) to 1 (alone).
    pub share: f64,
    /// What decides the chance.
    pub seed: u64,
}

/// Which movies are wanted. The default is all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MovieFilter {
    /// Genres that a movie must have.
    pub with_genres: Option<GenreChoice>,
    /// Genres that a movie must not have.
    pub without_genres: Option<GenreChoice>,
    /// The first year of release.
    pub year_gte: Option<i32>,
    /// The last year of release.
    pub year_lte: Option<i32>,
    /// The longest runtime in minutes.
    pub runtime_lte: Option<u16>,
    /// The code of the original language, in any case.
    pub with_original_language: Option<String>,
    /// The lowest average vote; movies without votes have none.
    pub vote_average_gte: Option<f64>,
    /// Movies that are not wanted: ascending, each once.
    pub exclude_ids: Vec<i32>,
}

/// Genres, each by its name in any case or by its id.
#[derive(Debug, Clone, PartialEq)]
pub struct GenreChoice {
    /// Names and ids.
    pub genres: Vec<String>,
    /// Whether a movie has the choice only with all of them; otherwise with any.
    pub all: bool,
}

//! The one pipeline that every list comes from: candidates, then filters, then scoring rules, then re-ranking, and an
//! explanation of what comes out. Pure: everything comes in as a parameter, nothing is read or waited for.
//!
//! ```text
//! score = round4( sum over the active rules of weight x value ),   round4(x) = round(x * 10000) / 10000,
//! halves away from zero
//! ```
//!
//! Candidates are all movies that the user has not seen, that are not rated below the user's minimum (a movie that nobody
//! has rated is not below anything), and that the request wants. The order is total: score, then popularity, both
//! falling, then id, rising. With the three default rules this is the formula of the platform's first, Go implementation.

mod candidates;
mod explanation;
mod filters;
pub mod group;
mod linked_model;
mod rerank;
pub mod rules;
mod top_k;
pub mod weights;

use chrono::{DateTime, Utc};

pub use self::linked_model::LinkedModel;
use self::{
    candidates::SCALE,
    filters::Filters,
    rules::{ActiveRules, RuleContext, Signal},
    top_k::Candidate,
    weights::Weights,
};
use crate::models::{
    catalogue::{Catalogue, day_number},
    feedback::{Feedback, FeedbackSettings},
    list_request::ListRequest,
    recommendation::{Excluded, RankedMovie},
    rule::RuleType,
    strategy::Strategy,
    user_profile::UserProfile,
};

/// What a list is made from.
#[derive(Clone, Copy)]
pub struct PipelineInput<'a> {
    /// All movies.
    pub catalogue: &'a Catalogue,
    /// The user.
    pub profile: &'a UserProfile,
    /// What each rule counts. The learned ones only do with [`Strategy::Personalised`].
    pub weights: &'a Weights,
    /// What each kind of feedback says.
    pub feedback: &'a FeedbackSettings,
    /// The collaborative model, if there is one.
    pub model: Option<&'a LinkedModel>,
    /// The time: feedback fades and movies grow old.
    pub now: DateTime<Utc>,
}

/// A list.
#[derive(Debug, PartialEq)]
pub struct Ranking {
    /// What it was made from.
    pub strategy: Strategy,
    /// The rules that counted, with their weights.
    pub rules: Vec<(RuleType, f64)>,
    /// Best first.
    pub movies: Vec<RankedMovie>,
    /// How many movies were left out.
    pub excluded: Excluded,
}

impl PipelineInput<'_> {
    /// The list that `request` wants.
    pub fn rank(&self, request: &ListRequest) -> Ranking {
        let Self { catalogue, profile, .. } = *self;
        let strategy = request.strategy.unwrap_or_else(|| Strategy::of(profile));
        let seen = if request.include_seen { &[] } else { profile.seen_movie_ids.as_slice() };
        let filters = Filters::new(catalogue, seen, profile.min_rating, &request.filter);
        let signals = self.signals();
        let context = RuleContext {
            catalogue,
            profile,
            signals: &signals,
            model: self.model,
            highest_popularity: candidates::highest_popularity(catalogue, &filters),
            today: day_number(self.now.date_naive()),
        };
        let weights = effective_weights(self.weights, strategy, request);
        let rules = ActiveRules::new(&weights, &context);
        let page = self.page(request, &filters, &rules);
        let movies = page.iter().map(|movie| self.ranked(request, &rules, movie)).collect();
        Ranking { strategy, rules: weights.active().collect(), movies, excluded: filters.excluded() }
    }

    /// The movies of the page that `request` wants.
    fn page(&self, request: &ListRequest, filters: &Filters<'_>, rules: &ActiveRules<'_>) -> Vec<Candidate> {
        let end = request.offset.saturating_add(request.limit);
        let mut movies = if rerank::is_wanted(request) {
            let movies = candidates::best(self.catalogue, filters, rules, end.max(rerank::POOL));
            rerank::rerank(self.catalogue, request, movies)
        } else {
            candidates::best(self.catalogue, filters, rules, end)
        };
        movies.truncate(end);
        movies.drain(..request.offset.min(movies.len()));
        movies
    }

    fn ranked(&self, request: &ListRequest, rules: &ActiveRules<'_>, movie: &Candidate) -> RankedMovie {
        let title = |id: i32| self.catalogue.index_of(id).map(|index| self.catalogue.title(index).to_owned());
        let contributions = explanation::contributions(rules, movie.index, movie.scaled_score);
        RankedMovie {
            index: movie.index,
            score: movie.scaled_score / SCALE,
            reasons: explanation::reasons(rules, movie.index, title),
            is_watchlisted: self.profile.watchlist.binary_search(&movie.id).is_ok(),
            explanation: request.explain.then(|| explanation::explain(rules, movie.index, &contributions)),
            contributions,
        }
    }

    /// What the user's feedback says now.
    fn signals(&self) -> Vec<Signal> {
        let signal = |feedback: &Feedback| Signal {
            movie_id: feedback.movie_id,
            index: self.catalogue.index_of(feedback.movie_id),
            kind: feedback.kind,
            strength: self.feedback.strength(feedback, self.now),
        };
        self.profile.feedback.iter().map(signal).collect()
    }
}

/// What each rule counts in a list: those that learn only where there is something to learn from, unless the request
/// names them.
fn effective_weights(weights: &Weights, strategy: Strategy, request: &ListRequest) -> Weights {
    let weights = match strategy {
        // Who states no preferences has a genre value of 0; one who does wants to be treated as if not.
        Strategy::Popular if request.strategy.is_some() => weights.without_learned().without(RuleType::GenreMatch),
        Strategy::Popular | Strategy::PreferencesOnly => weights.without_learned(),
        Strategy::Personalised => *weights,
    };
    weights.with(&request.weights)
}

#[cfg(test)]
#[path = "scoring_tests.rs"]
mod scoring_tests;

#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod oracles;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod test_numbers;
#[cfg(test)]
mod test_world;

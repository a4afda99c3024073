//! A list for several users together: what no member has seen, in the order of what the members' scores come to. Movies
//! that stand on the watchlists of all come first.

use std::ops::Range;

use super::{
    PipelineInput,
    candidates::{self, SCALE, Scorer},
    effective_weights,
    filters::Filters,
    rules::{ActiveRules, RuleContext, Signal},
    top_k::Candidate,
};
use crate::models::{
    catalogue::{Catalogue, day_number},
    group::{Aggregation, GroupMovie, GroupRequest},
    list_request::ListRequest,
    recommendation::Excluded,
    strategy::Strategy,
    user_profile::UserProfile,
};

/// A list for a group.
#[derive(Debug, PartialEq)]
pub struct GroupRanking {
    /// Best first.
    pub movies: Vec<GroupMovie>,
    /// How many movies were left out.
    pub excluded: Excluded,
}

/// The list that `request` wants for `members`; the profile of `input` counts nothing.
pub fn rank(input: &PipelineInput<'_>, members: &[UserProfile], request: &GroupRequest) -> GroupRanking {
    let catalogue = input.catalogue;
    let seen: Vec<i32> = members.iter().flat_map(|member| &member.seen_movie_ids).copied().collect();
    let min_rating = members.iter().map(|member| member.min_rating).fold(0.0, f64::max);
    let filters = Filters::new(catalogue, &seen, min_rating, &request.filter);
    let highest_popularity = candidates::highest_popularity(catalogue, &filters);
    let inputs: Vec<PipelineInput<'_>> = members.iter().map(|profile| PipelineInput { profile, ..*input }).collect();
    let signals: Vec<Vec<Signal>> = inputs.iter().map(PipelineInput::signals).collect();
    let rules = inputs.iter().zip(&signals).map(|(input, signals)| {
        let (profile, today) = (input.profile, day_number(input.now.date_naive()));
        let context = RuleContext { catalogue, profile, signals, model: input.model, highest_popularity, today };
        let weights = effective_weights(input.weights, Strategy::of(profile), &ListRequest::default());
        ActiveRules::new(&weights, &context)
    });
    let scorer = GroupScorer { members: rules.collect(), aggregation: request.aggregation };
    let wanted_by_all = on_all_watchlists(catalogue, members, &filters, &scorer);
    let movies = page(catalogue, &filters, &scorer, request, &wanted_by_all);
    let movie = |movie: Candidate| GroupMovie {
        index: movie.index,
        score: movie.scaled_score / SCALE,
        members: scorer.member_scores(movie.index),
        is_on_all_watchlists: wanted_by_all.iter().any(|wanted| wanted.index == movie.index),
    };
    GroupRanking { movies: movies.into_iter().map(movie).collect(), excluded: filters.excluded() }
}

/// The candidates that all members want to watch, best first.
fn on_all_watchlists(
    catalogue: &Catalogue,
    members: &[UserProfile],
    filters: &Filters<'_>,
    scorer: &GroupScorer<'_>,
) -> Vec<Candidate> {
    let Some((first, others)) = members.split_first() else { return Vec::new() };
    let is_on_others = |id: &&i32| others.iter().all(|member| member.watchlist.binary_search(id).is_ok());
    let indexes = first.watchlist.iter().filter(is_on_others).filter_map(|id| catalogue.index_of(*id));
    let scored = |index: usize| {
        let mut score = [0.0];
        scorer.add_scores(index..index + 1, &mut score);
        candidates::candidate(catalogue, index, score[0] * SCALE)
    };
    let mut movies: Vec<Candidate> = indexes.filter(|index| filters.keep(*index)).map(scored).collect();
    movies.sort_unstable_by(|a, b| b.cmp(a));
    movies
}

fn page(
    catalogue: &Catalogue,
    filters: &Filters<'_>,
    scorer: &GroupScorer<'_>,
    request: &GroupRequest,
    wanted_by_all: &[Candidate],
) -> Vec<Candidate> {
    let end = request.offset.saturating_add(request.limit);
    // Those wanted by all may be among the best too.
    let best = candidates::best(catalogue, filters, scorer, end.saturating_add(wanted_by_all.len()));
    let others = best.into_iter().filter(|movie| !wanted_by_all.iter().any(|wanted| wanted.index == movie.index));
    wanted_by_all.iter().copied().chain(others).skip(request.offset).take(request.limit).collect()
}

/// Scores movies for a group: each member's score is rounded to four decimals as it is shown, then aggregated.
struct GroupScorer<'a> {
    members: Vec<ActiveRules<'a>>,
    aggregation: Aggregation,
}

impl GroupScorer<'_> {
    fn member_scores(&self, index: usize) -> Vec<f64> {
        let score = |rules: &ActiveRules<'_>| {
            let mut score = [0.0];
            rules.add_scores(index..index + 1, &mut score);
            rounded(score[0])
        };
        self.members.iter().map(score).collect()
    }

    /// Adds to `totals` what the columns of all members, each made by `add`, come to.
    fn aggregate(&self, totals: &mut [f64], add: impl Fn(&ActiveRules<'_>, &mut [f64])) {
        let column = |rules: &ActiveRules<'_>| {
            let mut column = vec![0.0; totals.len()];
            add(rules, &mut column);
            column
        };
        let columns: Vec<Vec<f64>> = self.members.iter().map(column).collect();
        for (place, total) in totals.iter_mut().enumerate() {
            *total += self.aggregation.of(columns.iter().map(|column| rounded(column[place])));
        }
    }
}

impl Scorer for GroupScorer<'_> {
    fn add_bounds(&self, bounds: &mut [f64]) {
        self.aggregate(bounds, |rules, bounds| rules.add_bounds(bounds));
    }

    fn add_scores(&self, range: Range<usize>, scores: &mut [f64]) {
        self.aggregate(scores, |rules, scores| rules.add_scores(range.clone(), scores));
    }
}

fn rounded(score: f64) -> f64 {
    (score * SCALE).round() / SCALE
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;

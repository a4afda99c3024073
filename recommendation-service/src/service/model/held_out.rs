//! How good a model is on likes that it has not seen.

use std::collections::{HashMap, HashSet};

use super::{
    Parameters,
    info::{HeldOutQuality, Scoring},
    training::Opinion,
};

/// Users with fewer opinions keep them all.
const MIN_OPINIONS: usize = 6;
/// One in so many opinions of a user, the latest ones, is held out.
const ONE_IN: usize = 5;
/// Lists are made for so many users at most.
const MAX_USERS: usize = 2_000;

/// Likes, split by time within each user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeldOut {
    training: Vec<Opinion>,
    /// For each user with something held out: what stays, and what was held out.
    users: Vec<(Vec<Opinion>, HashSet<i32>)>,
}

impl HeldOut {
    /// Holds out the latest fifth of each user's likes.
    pub fn latest(likes: &[Opinion]) -> Self {
        let mut likes = likes.to_vec();
        likes.sort_unstable_by(Opinion::by_pair_latest_first);
        likes.dedup_by_key(|like| (like.user, like.movie));
        likes.sort_unstable_by_key(|like| (like.user, like.at, like.movie));
        let mut split = Self::default();
        for of_user in likes.chunk_by(|a, b| a.user == b.user) {
            let kept =
                if of_user.len() < MIN_OPINIONS { of_user.len() } else { of_user.len() - of_user.len() / ONE_IN };
            let (training, held_out) = of_user.split_at(kept);
            split.training.extend(training);
            let wanted: HashSet<i32> =
                held_out.iter().filter(|like| like.is_clear_like()).map(|like| like.movie).collect();
            if !wanted.is_empty() {
                split.users.push((training.to_vec(), wanted));
            }
        }
        let one_in = split.users.len().div_ceil(MAX_USERS).max(1);
        split.users = split.users.into_iter().step_by(one_in).collect();
        split
    }

    /// What is left to train on.
    pub fn training(&self) -> &[Opinion] {
        &self.training
    }

    /// How many users lists are made for.
    pub fn users(&self) -> usize {
        self.users.len()
    }
}

/// The quality of `parameters`, trained on [`HeldOut::training`], for the movies `movie_ids`. What the model does not know
/// counts as not found.
pub(super) fn quality(split: &HeldOut, movie_ids: &[i32], parameters: &Parameters, scoring: Scoring) -> HeldOutQuality {
    let mut liked_by: HashMap<i32, usize> = HashMap::new();
    for like in split.training.iter().filter(|opinion| opinion.is_clear_like()) {
        *liked_by.entry(like.movie).or_default() += 1;
    }
    let popularity: Vec<f32> = movie_ids.iter().map(|movie| liked_by.get(movie).copied().unwrap_or(0) as f32).collect();
    let (mut ndcg, mut recall, mut popular) = (0.0, 0.0, 0.0);
    for (known, held_out) in &split.users {
        let feedback: Vec<(usize, f32)> = known
            .iter()
            .filter_map(|like| Some((movie_ids.binary_search(&like.movie).ok()?, scoring.of(like.strength))))
            .collect();
        let scores = match parameters {
            Parameters::ItemItem(weights) => weights.score(&feedback),
            Parameters::LowRank(factors) => factors.score(&feedback),
        };
        let hits = |scores: &[f32]| -> Vec<bool> {
            let list = top(scores, &feedback, 20);
            list.into_iter().map(|index| held_out.contains(&movie_ids[index])).collect()
        };
        let found = hits(&scores);
        ndcg += ndcg_10(&found, held_out.len());
        recall += found.iter().filter(|hit| **hit).count() as f64 / held_out.len().min(20) as f64;
        popular += ndcg_10(&hits(&popularity), held_out.len());
    }
    let users = split.users.len();
    let mean = |sum: f64| if users == 0 { 0.0 } else { sum / users as f64 };
    HeldOutQuality { users, ndcg_10: mean(ndcg), popularity_ndcg_10: mean(popular), recall_20: mean(recall) }
}

/// The best `limit` movies that are not part of `feedback`.
fn top(scores: &[f32], feedback: &[(usize, f32)], limit: usize) -> Vec<usize> {
    let known: HashSet<usize> = feedback.iter().map(|(index, _)| *index).collect();
    let mut list: Vec<usize> = (0..scores.len()).filter(|index| !known.contains(index)).collect();
    let better = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
    if list.len() > limit {
        list.select_nth_unstable_by(limit, better);
        list.truncate(limit);
    }
    list.sort_unstable_by(better);
    list
}

/// Gain 1 for a hit, discounted by log2 of its place + 1, as a part of the best list's.
fn ndcg_10(hits: &[bool], relevant: usize) -> f64 {
    let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
    let gain: f64 = hits.iter().take(10).enumerate().filter(|(_, hit)| **hit).map(|(place, _)| discount(place)).sum();
    gain / (0..relevant.min(10)).map(discount).sum::<f64>()
}

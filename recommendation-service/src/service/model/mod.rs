//! The collaborative model: what people who liked these movies liked besides. Pure: nothing here reads, writes or waits.
//!
//! Training makes an [`ItemModel`] from [`Interactions`]: by [`ease`] while the data fits the bound of its dense matrix,
//! by [`ials`] beyond it. A user's scores follow from the user's own feedback alone, so feedback that came a moment ago
//! counts at once, and so does that of a user whom the training never saw.

pub mod codec;
pub mod control;
pub mod ease;
mod held_out;
pub mod ials;
pub mod info;
pub mod interactions;
pub mod item_weights;
pub mod low_rank;
pub mod memory;
pub mod training;

use self::{
    info::{ModelInfo, Scoring},
    item_weights::ItemWeights,
    low_rank::LowRank,
};

/// A trained model. Movies are named by their ids outside, and by their index in [`Self::movie_ids`] inside.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemModel {
    info: ModelInfo,
    movie_ids: Box<[i32]>,
    parameters: Parameters,
}

/// What training has found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameters {
    /// A weight from movie to movie.
    ItemItem(ItemWeights),
    /// A vector for each movie.
    LowRank(LowRank),
}

impl ItemModel {
    /// Puts a model together. `movie_ids` ascend and are as many as `parameters` has movies.
    pub(crate) fn new(info: ModelInfo, movie_ids: Box<[i32]>, parameters: Parameters) -> Self {
        debug_assert!(movie_ids.is_sorted_by(|a, b| a < b), "ids ascend");
        Self { info, movie_ids, parameters }
    }

    /// Version, data, settings and quality.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The same, saying that something was known about `feedback` pairs of a user and a movie, liked or not.
    #[must_use]
    pub fn with_feedback(mut self, feedback: usize) -> Self {
        self.info.feedback = feedback;
        self
    }

    /// The same, scoring in another way.
    #[must_use]
    pub fn with_scoring(mut self, scoring: Scoring) -> Self {
        (self.info.curve, self.info.dislikes) = (scoring.curve, scoring.dislikes);
        self
    }

    /// The movies that the model knows: ids, ascending.
    pub fn movie_ids(&self) -> &[i32] {
        &self.movie_ids
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// A score for each of [`Self::movie_ids`]; only their order and their ratios within one user have a meaning.
    /// `feedback` are movie ids with a signed strength from -1 to 1 (above 0: liked), of which [`ModelInfo::curve`] says
    /// how it counts. What the model does not know counts nothing.
    pub fn score(&self, feedback: &[(i32, f32)]) -> Vec<f32> {
        let feedback = self.known(feedback);
        match &self.parameters {
            Parameters::ItemItem(weights) => weights.score(&feedback),
            Parameters::LowRank(factors) => factors.score(&feedback),
        }
    }

    /// How much each movie of `feedback` adds to the score of `movie_id`, the largest first; they sum to the score.
    /// Empty for a movie that the model does not know.
    pub fn contributions(&self, feedback: &[(i32, f32)], movie_id: i32) -> Vec<(i32, f32)> {
        let Some(target) = self.index_of(movie_id) else { return Vec::new() };
        let known = self.known(feedback);
        let mut parts = match &self.parameters {
            Parameters::ItemItem(weights) => weights.contributions(&known, target),
            Parameters::LowRank(factors) => factors.contributions(&known, target),
        };
        parts.retain(|(_, part)| *part != 0.0);
        parts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        parts.into_iter().map(|(index, part)| (self.movie_ids[index], part)).collect()
    }

    /// The movies nearest to `movie_id` by what people liked, with their weights, the nearest first: at most `limit`,
    /// all of them above 0. Empty for a movie that the model does not know.
    pub fn neighbours(&self, movie_id: i32, limit: usize) -> Vec<(i32, f32)> {
        let Some(source) = self.index_of(movie_id) else { return Vec::new() };
        let mut nearest = match &self.parameters {
            Parameters::ItemItem(weights) => weights.neighbours(source),
            Parameters::LowRank(factors) => factors.neighbours(source),
        };
        nearest.retain(|(_, weight)| *weight > 0.0);
        nearest.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        nearest.truncate(limit);
        nearest.into_iter().map(|(index, weight)| (self.movie_ids[index], weight)).collect()
    }

    /// Memory it takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.movie_ids)
            + match &self.parameters {
                Parameters::ItemItem(weights) => weights.heap_bytes(),
                Parameters::LowRank(factors) => factors.heap_bytes(),
            }
    }

    fn index_of(&self, movie_id: i32) -> Option<usize> {
        self.movie_ids.binary_search(&movie_id).ok()
    }

    /// The part of `feedback` that the model knows, by index. Not-finite strengths count nothing.
    fn known(&self, feedback: &[(i32, f32)]) -> Vec<(usize, f32)> {
        let usable = feedback.iter().filter(|(_, strength)| strength.is_finite() && *strength != 0.0);
        let scoring = self.info.scoring();
        let known = |(movie, strength): &(i32, f32)| Some((self.index_of(*movie)?, scoring.of(*strength)));
        usable.filter_map(known).collect()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

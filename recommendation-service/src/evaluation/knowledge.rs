//! What the training part of the data says: the catalogue with its popularity and votes, and the collaborative model.

use std::{collections::HashMap, sync::Arc};

use chrono::Datelike;

use super::{
    dataset::{Dataset, RatedMovie, Rating},
    split::Split,
};
use crate::{
    models::{
        catalogue::Catalogue,
        catalogue_builder::{BuildError, CatalogueBuilder, Movie},
        feedback::{FeedbackKind, FeedbackSettings},
    },
    service::{
        model::{
            ItemModel,
            control::TrainingControl,
            info::Scoring,
            training::{self, Opinion, TrainingError, TrainingSettings},
        },
        pipeline::LinkedModel,
    },
};

/// Eras are decades, numbered after all genres.
const YEARS_PER_ERA: i32 = 10;

/// A catalogue, and a model if there is enough to learn from.
pub struct Knowledge {
    /// All movies, as the service would know them.
    pub catalogue: Catalogue,
    /// The collaborative model.
    pub model: Option<LinkedModel>,
}

impl Knowledge {
    /// Of the training part of `split`: nothing of what is held out comes in.
    ///
    /// # Errors
    /// [`BuildError`] when there are more movies or genres than a catalogue can hold.
    pub fn new(dataset: &Dataset, split: &Split, settings: &TrainingSettings) -> Result<Self, BuildError> {
        let numbers = genre_numbers(dataset);
        let catalogue = catalogue(dataset, split, &numbers)?;
        let model = match train(dataset, split, &numbers, settings) {
            Ok(model) => Some(LinkedModel::new(Arc::new(model), &catalogue)),
            Err(error) => {
                tracing::warn!(%error, "no collaborative model");
                None
            }
        };
        Ok(Self { catalogue, model })
    }

    /// The model with another way to score.
    #[must_use]
    pub fn with_scoring(&self, scoring: Scoring) -> Option<LinkedModel> {
        let model = self.model.as_ref()?.model().clone().with_scoring(scoring);
        Some(LinkedModel::new(Arc::new(model), &self.catalogue))
    }
}

fn train(
    dataset: &Dataset,
    split: &Split,
    numbers: &HashMap<&str, i32>,
    settings: &TrainingSettings,
) -> Result<ItemModel, TrainingError> {
    let feedback = FeedbackSettings::default();
    let opinion = |rating: &Rating| Opinion {
        user: rating.user,
        movie: rating.movie,
        strength: feedback.strength_at_first(FeedbackKind::Rating(rating.value)) as f32,
        at: rating.at.timestamp(),
    };
    let opinions: Vec<Opinion> = split.training.iter().map(opinion).collect();
    let movies: HashMap<i32, &RatedMovie> = dataset.movies.iter().map(|movie| (movie.id, movie)).collect();
    let tags_of = |id: i32| movies.get(&id).map_or_else(Vec::new, |movie| tags(movie, numbers));
    training::train(&opinions, &tags_of, settings, &TrainingControl::default())
}

/// A movie's genres and its decade as numbers.
fn tags(movie: &RatedMovie, numbers: &HashMap<&str, i32>) -> Vec<u32> {
    let genres = movie.genres.iter().filter_map(|genre| numbers.get(genre.as_str()));
    let era = movie.released.map(|date| numbers.len() as i32 + 1 + date.year() / YEARS_PER_ERA);
    genres.copied().chain(era).map(i32::cast_unsigned).collect()
}

fn genre_numbers(dataset: &Dataset) -> HashMap<&str, i32> {
    let mut names: Vec<&str> = dataset.movies.iter().flat_map(|movie| &movie.genres).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().zip(1..).collect()
}

fn catalogue(dataset: &Dataset, split: &Split, numbers: &HashMap<&str, i32>) -> Result<Catalogue, BuildError> {
    let genres = numbers.iter().map(|(name, number)| (*number, (*name).to_owned())).collect();
    let mut builder = CatalogueBuilder::new(String::from("evaluation"), genres)?;
    let votes = votes(split);
    for movie in &dataset.movies {
        let votes = votes.get(&movie.id).copied().unwrap_or_default();
        let genre_ids: Vec<i32> =
            movie.genres.iter().filter_map(|genre| numbers.get(genre.as_str())).copied().collect();
        builder.push(&Movie {
            id: movie.id,
            title: &movie.title,
            release_date: movie.released,
            popularity: Some(votes.likes),
            vote_average: (votes.count > 0).then(|| votes.sum / f64::from(votes.count)),
            vote_count: votes.count,
            genre_ids: &genre_ids,
            ..Movie::default()
        })?;
    }
    Ok(builder.finish())
}

#[derive(Debug, Clone, Copy, Default)]
struct Votes {
    count: u32,
    sum: f64,
    likes: f64,
}

fn votes(split: &Split) -> HashMap<i32, Votes> {
    let mut votes: HashMap<i32, Votes> = HashMap::new();
    for rating in &split.training {
        let of_movie = votes.entry(rating.movie).or_default();
        of_movie.count += 1;
        of_movie.sum += rating.value;
        of_movie.likes += f64::from(u8::from(rating.is_like()));
    }
    votes
}

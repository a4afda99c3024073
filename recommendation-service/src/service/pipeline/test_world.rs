//! A catalogue of several blocks, a user and a model for the tests, all from one seed.

use std::sync::{Arc, LazyLock};

use chrono::{Days, NaiveDate};

use super::{LinkedModel, PipelineInput, Ranking, test_numbers::Numbers, weights::Weights};
use crate::{
    models::{
        catalogue::Catalogue,
        catalogue_builder::{CatalogueBuilder, Movie},
        feedback::{Feedback, FeedbackKind, FeedbackSettings},
        list_request::ListRequest,
        recommendation::{Contribution, RankedMovie},
        rule::RuleType,
        user_profile::UserProfile,
    },
    service::model::{
        ItemModel,
        control::TrainingControl,
        info::Scoring,
        training::{Opinion, TrainingSettings, train},
    },
};

pub(super) const GENRES: [&str; 6] = ["Action", "Comedy", "Drama", "Horror", "Romance", "War"];
const LANGUAGES: [&str; 4] = ["", "en", "fr", "ja"];

/// A movie of a test, with everything owned.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) id: i32,
    pub(super) popularity: f64,
    pub(super) released: Option<NaiveDate>,
    pub(super) vote: Option<f64>,
    pub(super) votes: u32,
    pub(super) language: &'static str,
    pub(super) runtime: u16,
    pub(super) genres: Vec<i32>,
}

impl Numbers {
    /// A movie; few distinct values, so that equal scores are common.
    fn sample(&mut self, id: i32) -> Sample {
        let genres = (0..6).filter(|_| self.below(4) == 0).collect();
        Sample {
            id,
            popularity: if self.below(2) == 0 { self.below(4) as f64 } else { 1000.0 / (1 + self.below(1000)) as f64 },
            released: (self.below(8) > 0).then(|| today() + Days::new(30) - Days::new(self.below(20_000))),
            vote: (self.below(5) > 0).then(|| self.below(21) as f64 / 2.0),
            votes: self.below(300) as u32,
            language: LANGUAGES[self.below(4) as usize],
            runtime: self.below(200) as u16,
            genres,
        }
    }

    fn feedback(&mut self, movie_id: i32) -> Feedback {
        let kind = match self.below(5) {
            0 => FeedbackKind::Like,
            1 => FeedbackKind::Dislike,
            2 => FeedbackKind::Watched,
            3 => FeedbackKind::Abandoned,
            _ => FeedbackKind::Rating((1 + self.below(20)) as f64 / 2.0),
        };
        Feedback { movie_id, kind, occurred_at: now() - Days::new(self.below(2000)) }
    }
}

fn today() -> NaiveDate {
    "2026-11-22".parse().expect("a date")
}

pub(super) fn now() -> chrono::DateTime<chrono::Utc> {
    "2026-11-22T15:00:00Z".parse().expect("a time")
}

/// A model of the first hundred movies, from the likes of eighty users.
pub(super) static MODEL: LazyLock<Arc<ItemModel>> = LazyLock::new(|| {
    let mut numbers = Numbers(99);
    let mut likes = Vec::new();
    for user in 1..=80 {
        for _ in 0..12 {
            // Users with even ids like the first half, mostly.
            let half = if user % 2 == 0 || numbers.below(5) == 0 { 0 } else { 50 };
            let movie = (1 + half + numbers.below(50)) as i32 * 3;
            likes.push(Opinion { user, movie, strength: 1.0, at: 0 });
        }
    }
    let scorings = vec![Scoring { curve: 1.0, dislikes: 1.0 }];
    let settings = TrainingSettings { ridges: vec![20.0], scorings, ..TrainingSettings::default() };
    Arc::new(train(&likes, &|_| Vec::new(), &settings, &TrainingControl::default()).expect("enough likes"))
});

/// Everything a list is made from.
#[derive(Debug)]
pub(super) struct World {
    pub(super) samples: Vec<Sample>,
    pub(super) catalogue: Catalogue,
    pub(super) profile: UserProfile,
    pub(super) weights: Weights,
    pub(super) model: LinkedModel,
}

impl World {
    pub(super) fn new(seed: u64, movies: i32) -> Self {
        let mut numbers = Numbers(seed);
        let samples: Vec<Sample> = (1..=movies).map(|id| numbers.sample(id * 3)).collect();
        let mut ids = |count: u64| {
            let mut ids: Vec<i32> = (0..count).map(|_| (1 + numbers.below(movies as u64 + 5)) as i32 * 3).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let (seen_movie_ids, watchlist, known) = (ids(30), ids(10), ids(8));
        let feedback = known.into_iter().map(|id| numbers.feedback(id)).collect();
        let profile = UserProfile {
            preferred_genres: vec!["drama".into(), "WAR".into()],
            preferred_language: "JA".into(),
            min_rating: [0.0, 6.5][numbers.below(2) as usize],
            seen_movie_ids,
            feedback,
            watchlist,
        };
        let weights = RuleType::ALL.map(|rule_type| (rule_type, numbers.below(11) as f64 / 10.0));
        let catalogue = catalogue(&samples);
        let model = LinkedModel::new(MODEL.clone(), &catalogue);
        Self { catalogue, samples, profile, weights: weights.into_iter().collect(), model }
    }

    pub(super) fn rank(&self, request: &ListRequest) -> Ranking {
        let feedback = FeedbackSettings::default();
        let (catalogue, profile, weights) = (&self.catalogue, &self.profile, &self.weights);
        let model = Some(&self.model);
        PipelineInput { catalogue, profile, weights, feedback: &feedback, model, now: now() }.rank(request)
    }

    pub(super) fn ids(&self, movies: &[RankedMovie]) -> Vec<i32> {
        movies.iter().map(|movie| self.catalogue.ids()[movie.index]).collect()
    }

    pub(super) fn sample(&self, id: i32) -> &Sample {
        self.samples.iter().find(|sample| sample.id == id).expect("a movie of the catalogue")
    }
}

fn catalogue(samples: &[Sample]) -> Catalogue {
    let genres = (0..).zip(GENRES).map(|(id, name)| (id, name.to_owned())).collect();
    let mut builder = CatalogueBuilder::new("1-1".into(), genres).expect("few genres");
    for sample in samples {
        let movie = Movie {
            id: sample.id,
            title: &format!("Movie {}", sample.id),
            release_date: sample.released,
            popularity: Some(sample.popularity),
            vote_average: sample.vote,
            vote_count: sample.votes,
            original_language: sample.language,
            runtime: sample.runtime,
            genre_ids: &sample.genres,
            ..Movie::default()
        };
        builder.push(&movie).expect("ids ascend");
    }
    builder.finish()
}

/// What a rule contributed to an explained movie.
pub(super) fn part(movie: &RankedMovie, rule_type: RuleType) -> Contribution {
    let parts = movie.explanation.iter().flatten();
    parts.clone().find(|part| part.rule_type == rule_type).expect("every active rule").clone()
}

//! From opinions to a model: chooses its settings on likes that are held out, then trains on all of them.

use std::{cmp::Ordering, time::Instant};

use chrono::{SubsecRound, Utc};

use super::{
    ItemModel, Parameters, codec,
    control::{Cancelled, TrainingControl},
    ease::{self, EaseError, EaseSettings},
    held_out::{HeldOut, quality},
    ials::{self, IalsSettings},
    info::{Algorithm, HeldOutQuality, ModelInfo, Scoring, Weighting},
    interactions::{Interactions, Limits},
    memory,
};

/// The ridge is chosen on so many movies at most, those liked most often: each candidate costs a training.
const MAX_MOVIES_OF_CHOICE: usize = 2_500;

/// From this strength on an opinion is a clear like: that of a rating of 7 is, that of 6.5 is not.
const CLEAR_FROM: f32 = 0.3;

/// What a user thinks of a movie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinion {
    /// The user's id.
    pub user: i64,
    /// The movie's id.
    pub movie: i32,
    /// How much, from -1 (disliked it) to 1.
    pub strength: f32,
    /// When, in seconds since 1970.
    pub at: i64,
}

impl Opinion {
    /// Whether it is a like, strong enough to be found by a good list, and to count where all likes count the same.
    pub fn is_clear_like(&self) -> bool {
        self.strength >= CLEAR_FROM
    }

    /// By user and movie, and of one pair the latest first: a total order, so that equal opinions always give equal models.
    pub fn by_pair_latest_first(a: &Self, b: &Self) -> Ordering {
        let pair = (a.user, a.movie).cmp(&(b.user, b.movie));
        pair.then(b.at.cmp(&a.at)).then(b.strength.total_cmp(&a.strength))
    }
}

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingSettings {
    /// Movies liked by fewer users are left out.
    pub min_users_per_movie: usize,
    /// EASE for so many movies at most; with more of them, iALS.
    pub max_movies: usize,
    /// Ridges to choose from.
    pub ridges: Vec<f32>,
    /// Ways to weigh likes to choose from.
    pub weightings: Vec<Weighting>,
    /// Ways to score to choose from.
    pub scorings: Vec<Scoring>,
    /// See [`Interactions::add_sessions`].
    pub session_weight: f32,
    /// See [`Interactions::add_tags`].
    pub tag_weight: f32,
    /// Weights that all movies keep together, 8 bytes each. The more of them, the better the lists; each movie keeps as
    /// many as the others.
    pub weights_kept: usize,
    /// Of iALS.
    pub ials: IalsSettings,
    /// Bytes that EASE may take; `None` for as many as it needs.
    pub max_bytes: Option<usize>,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            min_users_per_movie: 3,
            max_movies: 15_000,
            ridges: vec![50.0, 100.0, 200.0, 400.0, 800.0],
            weightings: vec![Weighting::Equal, Weighting::Graded],
            scorings: [1.0, 0.5].map(|curve| [1.0, 0.5, 0.0].map(|dislikes| Scoring { curve, dislikes })).concat(),
            session_weight: 1.0,
            tag_weight: 2.0,
            weights_kept: 16_000_000,
            ials: IalsSettings::default(),
            max_bytes: None,
        }
    }
}

/// Why there is no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrainingError {
    /// It was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Too few likes: no movie is liked by enough users.
    #[error("there is too little feedback to learn from")]
    TooLittleData,
    /// There is not enough memory for so many movies.
    #[error("the training needs {megabytes} MB of memory, more than is free")]
    OutOfMemory {
        /// What it needs.
        megabytes: usize,
    },
    /// The numbers got out of hand.
    #[error("the training gave no usable weights")]
    Unusable,
}

impl From<EaseError> for TrainingError {
    fn from(error: EaseError) -> Self {
        match error {
            EaseError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            EaseError::Singular => Self::Unusable,
        }
    }
}

/// Trains on `likes`; `tags_of` gives the tags (genres, eras) of a movie. Takes seconds to minutes of one core.
///
/// # Errors
/// [`TrainingError`].
pub fn train(
    likes: &[Opinion],
    tags_of: &dyn Fn(i32) -> Vec<u32>,
    settings: &TrainingSettings,
    control: &TrainingControl,
) -> Result<ItemModel, TrainingError> {
    let started = Instant::now();
    let Choice { fit: chosen, scoring, quality } = choose(likes, tags_of, settings, control)?;
    let (data, parameters) = fit(likes, tags_of, settings, settings.max_movies, chosen, control)?;
    let algorithm = match parameters {
        Parameters::ItemItem(_) => Algorithm::Ease,
        Parameters::LowRank(_) => Algorithm::Ials,
    };
    let info = ModelInfo {
        version: codec::version(data.movie_ids(), &parameters),
        algorithm,
        trained_at: Utc::now().trunc_subsecs(3),
        training_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        users: data.users(),
        movies: data.movie_ids().len(),
        interactions: data.likes(),
        feedback: likes.len(),
        ridge: chosen.ridge,
        session_weight: if algorithm == Algorithm::Ease { settings.session_weight } else { 0.0 },
        tag_weight: if algorithm == Algorithm::Ease { settings.tag_weight } else { 0.0 },
        weighting: chosen.weighting,
        curve: scoring.curve,
        dislikes: scoring.dislikes,
        quality,
    };
    Ok(ItemModel::new(info, data.movie_ids().into(), parameters))
}

/// What cannot be computed and is tried, for a training.
#[derive(Debug, Clone, Copy)]
struct Fit {
    weighting: Weighting,
    ridge: f32,
}

/// What was tried with the best result.
#[derive(Debug, Clone, Copy)]
struct Choice {
    fit: Fit,
    scoring: Scoring,
    quality: Option<HeldOutQuality>,
}

/// The settings whose lists find most of what was held out. Without anything to hold out, the middle ridge and the first
/// of the others.
fn choose(
    likes: &[Opinion],
    tags_of: &dyn Fn(i32) -> Vec<u32>,
    settings: &TrainingSettings,
    control: &TrainingControl,
) -> Result<Choice, TrainingError> {
    let mut best = first_choice(settings).ok_or(TrainingError::Unusable)?;
    let split = HeldOut::latest(likes);
    let max_movies = settings.max_movies.min(MAX_MOVIES_OF_CHOICE);
    let parts = settings.weightings.len() * settings.ridges.len() + 1;
    let ridges = |weighting: &Weighting| {
        settings.ridges.iter().map(|ridge| Fit { weighting: *weighting, ridge: *ridge }).collect::<Vec<_>>()
    };
    for (part, tried) in settings.weightings.iter().flat_map(ridges).enumerate() {
        control.begin_part(part, parts);
        let fitted = if split.users() == 0 {
            Err(TrainingError::TooLittleData)
        } else {
            fit(split.training(), tags_of, settings, max_movies, tried, control)
        };
        let (data, parameters) = match fitted {
            Ok(fitted) => fitted,
            Err(error @ (TrainingError::Cancelled(_) | TrainingError::OutOfMemory { .. })) => return Err(error),
            Err(_) => continue,
        };
        for scoring in settings.scorings.iter().copied() {
            let measured = quality(&split, data.movie_ids(), &parameters, scoring);
            if best.quality.is_none_or(|best| measured.ndcg_10 > best.ndcg_10) {
                best = Choice { fit: tried, scoring, quality: Some(measured) };
            }
        }
        if let Parameters::LowRank(_) = parameters {
            break; // It has a ridge of its own.
        }
    }
    control.begin_part(parts - 1, parts);
    Ok(best)
}

fn first_choice(settings: &TrainingSettings) -> Option<Choice> {
    let ridge = *settings.ridges.get(settings.ridges.len() / 2)?;
    let fit = Fit { weighting: *settings.weightings.first()?, ridge };
    Some(Choice { fit, scoring: *settings.scorings.first()?, quality: None })
}

fn fit(
    likes: &[Opinion],
    tags_of: &dyn Fn(i32) -> Vec<u32>,
    settings: &TrainingSettings,
    max_movies: usize,
    Fit { weighting, ridge }: Fit,
    control: &TrainingControl,
) -> Result<(Interactions, Parameters), TrainingError> {
    let limits = Limits { min_users_per_movie: settings.min_users_per_movie, max_movies: usize::MAX, weighting };
    let mut data = Interactions::from_likes(likes, &limits);
    if data.movie_ids().is_empty() {
        return Err(TrainingError::TooLittleData);
    }
    if data.movie_ids().len() > settings.max_movies {
        let factors = ials::train(&data, &settings.ials, control)?.ok_or(TrainingError::Unusable)?;
        return Ok((data, Parameters::LowRank(factors)));
    }
    if data.movie_ids().len() > max_movies {
        data = Interactions::from_likes(likes, &Limits { max_movies, ..limits });
    }
    data.add_sessions(settings.session_weight);
    data.add_tags(settings.tag_weight, tags_of);
    let sources_kept = (settings.weights_kept / data.movie_ids().len()).max(1);
    memory::check(ease::bytes_needed(&data, sources_kept), settings.max_bytes)?;
    let ease = EaseSettings { ridge, sources_kept };
    let weights = ease::train(&data, &ease, control)?;
    Ok((data, Parameters::ItemItem(weights)))
}

//! The ways to make lists that are compared: by chance, by each rule alone, by the default three, by all, and by all but
//! one. All but chance go through the pipeline that the service uses.

use std::{collections::HashMap, thread};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    dataset::{Dataset, Rating},
    knowledge::Knowledge,
    report::Contender,
    split::TestUser,
};
use crate::{
    models::{
        feedback::{Feedback, FeedbackKind, FeedbackSettings},
        list_request::ListRequest,
        rule::RuleType,
        strategy::Strategy,
        user_profile::UserProfile,
    },
    service::pipeline::{
        PipelineInput,
        weights::{LEARNED_DEFAULTS, Weights},
    },
};

/// As many movies as the deepest measure looks at.
const LIST_LENGTH: usize = 100;
/// A user's stated preferences are taken to be the genres that most of the liked movies have.
const PREFERRED_GENRES: usize = 3;

/// Everything lists are made from.
pub struct Bench<'a> {
    /// What the training part says.
    pub knowledge: &'a Knowledge,
    /// The users, with what is known about each.
    pub users: &'a [TestUser<'a>],
    /// What each kind of feedback counts.
    pub feedback: FeedbackSettings,
    profiles: Vec<UserProfile>,
}

impl<'a> Bench<'a> {
    /// Makes the profiles of `users` ready.
    pub fn new(knowledge: &'a Knowledge, dataset: &Dataset, users: &'a [TestUser<'a>]) -> Self {
        let genres = dataset.movies.iter().map(|movie| (movie.id, movie.genres.as_slice())).collect();
        let profiles = users.iter().map(|user| profile(user, &genres)).collect();
        Self { knowledge, users, feedback: FeedbackSettings::default(), profiles }
    }

    /// The lists by `weights`.
    pub fn lists(&self, weights: &Weights) -> Vec<Vec<i32>> {
        self.lists_with(weights, &self.feedback)
    }

    /// The lists by `weights`, with other settings for feedback. On as many threads as there are cores.
    pub fn lists_with(&self, weights: &Weights, feedback: &FeedbackSettings) -> Vec<Vec<i32>> {
        let mut lists = vec![Vec::new(); self.users.len()];
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = self.users.len().div_ceil(cores).max(1);
        thread::scope(|scope| {
            for (part, lists) in lists.chunks_mut(share).enumerate() {
                scope.spawn(move || {
                    for (offset, list) in lists.iter_mut().enumerate() {
                        *list = self.list(part * share + offset, weights, feedback);
                    }
                });
            }
        });
        lists
    }

    fn list(&self, user: usize, weights: &Weights, feedback: &FeedbackSettings) -> Vec<i32> {
        // The time of the last rating that is known: the moment at which the user asks.
        let now = self.users[user].ratings.last().map_or_else(Default::default, |rating| rating.at);
        let catalogue = &self.knowledge.catalogue;
        let (profile, model) = (&self.profiles[user], self.knowledge.model.as_ref());
        let input = PipelineInput { catalogue, profile, weights, feedback, model, now };
        let request =
            ListRequest { limit: LIST_LENGTH, strategy: Some(Strategy::Personalised), ..ListRequest::default() };
        input.rank(&request).movies.iter().map(|movie| catalogue.ids()[movie.index]).collect()
    }

    /// Chance: the baseline below which nothing should be.
    pub fn random(&self, seed: u64) -> Contender {
        let mut rng = StdRng::seed_from_u64(seed);
        let ids = self.knowledge.catalogue.ids();
        let mut list = |profile: &UserProfile| {
            let mut list: Vec<i32> = Vec::with_capacity(LIST_LENGTH);
            let unseen = ids.len().saturating_sub(profile.seen_movie_ids.len());
            while list.len() < LIST_LENGTH.min(unseen) {
                let movie = ids[rng.random_range(0..ids.len())];
                if profile.seen_movie_ids.binary_search(&movie).is_err() && !list.contains(&movie) {
                    list.push(movie);
                }
            }
            list
        };
        Contender { name: "random".into(), lists: self.profiles.iter().map(&mut list).collect() }
    }

    /// All contenders of this service, for `weights` of all rules.
    pub fn contenders(&self, weights: &Weights, seed: u64) -> Vec<Contender> {
        let contender = |name: String, weights: &Weights| Contender { name, lists: self.lists(weights) };
        let alone = |rule: RuleType| contender(rule.name().into(), &[(rule, 1.0)].into_iter().collect());
        let without = |(rule, _): (RuleType, f64)| contender(format!("all without {rule}"), &weights.without(rule));
        let mut contenders = vec![self.random(seed)];
        contenders.extend(RuleType::ALL.into_iter().map(alone));
        contenders.push(contender("the default three".into(), &default_three()));
        contenders.push(contender("all".into(), weights));
        contenders.extend(weights.active().filter(|(_, weight)| *weight > 0.0).map(without));
        contenders
    }
}

/// The three rules that the service starts with.
pub fn default_three() -> Weights {
    [(RuleType::Popularity, 0.4), (RuleType::Recency, 0.3), (RuleType::GenreMatch, 0.3)].into_iter().collect()
}

/// All rules with the weights that they have unless the table of rules says otherwise.
pub fn all_rules() -> Weights {
    default_three().with(&LEARNED_DEFAULTS)
}

/// What the service would know about the user.
fn profile(user: &TestUser<'_>, genres: &HashMap<i32, &[String]>) -> UserProfile {
    let feedback = |rating: &Rating| Feedback {
        movie_id: rating.movie,
        kind: FeedbackKind::Rating(rating.value),
        occurred_at: rating.at,
    };
    let mut seen_movie_ids: Vec<i32> = user.ratings.iter().map(|rating| rating.movie).collect();
    seen_movie_ids.sort_unstable();
    UserProfile {
        preferred_genres: preferred_genres(user, genres),
        seen_movie_ids,
        feedback: user.ratings.iter().map(feedback).collect(),
        ..UserProfile::default()
    }
}

fn preferred_genres(user: &TestUser<'_>, genres: &HashMap<i32, &[String]>) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let liked = user.ratings.iter().filter(|rating| rating.is_like());
    for genre in liked.filter_map(|rating| genres.get(&rating.movie)).copied().flatten() {
        *counts.entry(genre).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|(genre, count)| (std::cmp::Reverse(*count), *genre));
    counts.into_iter().take(PREFERRED_GENRES).map(|(genre, _)| genre.to_owned()).collect()
}

//! "What should this user watch?": from the cache when nothing has changed, otherwise scored anew.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    ServiceError,
    catalogue::CatalogueStore,
    rules::RuleStore,
    scoring::{self, Ranked, Taste, Weights},
    snapshots::SnapshotQueue,
};
use crate::{
    database::redis::RedisLink,
    models::{
        catalogue::{Catalogue, day_number},
        profile::Profile,
        recommendation::{Recommendation, RecommendationList},
        snapshot::Snapshot,
        user_id::UserId,
    },
    peers::user_preference_service::{ProfileAnswer, UserPreferenceService},
    repository::cache::{self, Fingerprint},
};

/// From this many movies on scoring takes longer than a thread that serves connections should be kept.
const LARGE_CATALOGUE: usize = 20_000;
/// Requests worked on at a time; the others wait their turn. A burst would otherwise open a connection to the peer for
/// each, and be so busy with that that a healthy Redis seems to miss its time limit.
const TURNS: usize = 64;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// For whom.
    pub user: UserId,
    /// At most how many movies.
    pub limit: usize,
    /// Whether movies that the user has seen are candidates too.
    pub include_seen: bool,
}

/// Makes recommendations. Clones share everything.
#[derive(Clone)]
pub struct Recommender(Arc<Inner>);

struct Inner {
    users: UserPreferenceService,
    redis: RedisLink,
    catalogue: CatalogueStore,
    rules: RuleStore,
    snapshots: SnapshotQueue,
    turns: Semaphore,
    /// As many scorings of a large catalogue at a time as there are cores.
    scoring_slots: Semaphore,
}

/// Everything a list depends on besides the catalogue.
struct Circumstances {
    question: Question,
    profile: Profile,
    weights: Weights,
    now: DateTime<Utc>,
}

impl Recommender {
    /// Puts the parts together.
    pub fn new(
        users: UserPreferenceService,
        redis: RedisLink,
        catalogue: CatalogueStore,
        rules: RuleStore,
        snapshots: SnapshotQueue,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (turns, scoring_slots) = (Semaphore::new(TURNS), Semaphore::new(cores));
        Self(Arc::new(Inner { users, redis, catalogue, rules, snapshots, turns, scoring_slots }))
    }

    /// The list as JSON. When nothing is known about the user because user-preference-service does not answer, it is
    /// a general one, and nobody keeps it.
    ///
    /// # Errors
    /// [`ServiceError`]: no such user, or Redis or the catalogue is missing.
    pub async fn recommend(&self, question: Question) -> Result<Bytes, ServiceError> {
        let _turn = self.0.turns.acquire().await.expect("the semaphore is never closed");
        let key = cache::key(question.user, question.limit, question.include_seen);
        // The cache is required: when it fails, nobody need wait for the profile.
        let (profile, entry) = tokio::try_join!(self.profile(question.user), self.entry(&key))?;
        let catalogue = self.0.catalogue.current().ok_or(ServiceError::NoCatalogue)?;
        let (weights, now) = (self.0.rules.weights(), Utc::now().trunc_subsecs(6));

        let Some(profile) = profile else {
            let general = Circumstances { question, profile: Profile::default(), weights, now };
            return Ok(self.make(catalogue, general).await.0);
        };
        let fingerprint = fingerprint(&key, &profile, &catalogue, &weights, now.date_naive());
        if let Some(list) = entry.and_then(|entry| entry.open(&fingerprint)) {
            return Ok(list);
        }
        let Some(profile) = Profile::from_json(&profile, question.user) else {
            tracing::warn!(user = %question.user, "user-preference-service sent a malformed profile");
            let general = Circumstances { question, profile: Profile::default(), weights, now };
            return Ok(self.make(catalogue, general).await.0);
        };
        let (list, snapshot) = self.make(catalogue, Circumstances { question, profile, weights, now }).await;
        cache::put(&self.0.redis, &key, &fingerprint, &list).await;
        self.0.snapshots.push(snapshot);
        Ok(list)
    }

    /// The profile as it was sent, `None` when it cannot be had.
    async fn profile(&self, user: UserId) -> Result<Option<Vec<u8>>, ServiceError> {
        match self.0.users.profile(user).await {
            ProfileAnswer::Profile(profile) => Ok(Some(profile)),
            ProfileAnswer::NoSuchUser => Err(ServiceError::NoSuchUser),
            ProfileAnswer::Unavailable => Ok(None),
        }
    }

    async fn entry(&self, key: &str) -> Result<Option<cache::Entry>, ServiceError> {
        Ok(cache::get(&self.0.redis, key).await?)
    }

    async fn make(&self, catalogue: Arc<Catalogue>, circumstances: Circumstances) -> (Bytes, Snapshot) {
        if catalogue.len() < LARGE_CATALOGUE {
            return make(&catalogue, &circumstances);
        }
        let _slot = self.0.scoring_slots.acquire().await.expect("the semaphore is never closed");
        match spawn_blocking(move || make(&catalogue, &circumstances)).await {
            Ok(made) => made,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// Scores, and writes the list down.
fn make(catalogue: &Catalogue, circumstances: &Circumstances) -> (Bytes, Snapshot) {
    let Circumstances { question, profile, weights, now } = circumstances;
    let seen = if question.include_seen { &[] } else { profile.seen.as_slice() };
    let taste = Taste { preferred_genres: &profile.preferred_genres, min_rating: profile.min_rating, seen };
    let ranked = scoring::rank(catalogue, &taste, weights, now.date_naive(), question.limit);
    let movies = ranked.iter().map(|choice| (catalogue.ids()[choice.place], choice.score)).collect();
    let snapshot = Snapshot { user: question.user, generated_at: *now, movies };
    (to_json(catalogue, &ranked, question.user, *now), snapshot)
}

fn to_json(catalogue: &Catalogue, ranked: &[Ranked], user: UserId, generated_at: DateTime<Utc>) -> Bytes {
    let recommendations = ranked
        .iter()
        .map(|choice| Recommendation::new(catalogue, choice.place, choice.score, choice.reasons.to_string()))
        .collect();
    let list = RecommendationList { user_id: user.get(), recommendations, generated_at };
    serde_json::to_vec(&list).expect("texts and finite numbers always serialise").into()
}

/// Of everything that decides what a list looks like. The key stands for user, limit and seen movies; the package's
/// version for the formula and the form of the answer.
fn fingerprint(key: &str, profile: &[u8], catalogue: &Catalogue, weights: &Weights, today: NaiveDate) -> Fingerprint {
    let weight = |part: Option<f64>| part.map_or([0xff; 8], |weight| weight.to_bits().to_be_bytes());
    Fingerprint::of(&[
        env!("CARGO_PKG_VERSION").as_bytes(),
        key.as_bytes(),
        profile,
        catalogue.version().as_bytes(),
        &weight(weights.popularity),
        &weight(weights.recency),
        &weight(weights.genre_match),
        &day_number(today).to_be_bytes(),
    ])
}

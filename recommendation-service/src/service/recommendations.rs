//! Makes recommendations: from the cache when nothing has changed, otherwise scored anew.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    ServiceError,
    catalogue::CatalogueStore,
    pipeline::{PipelineInput, weights::Weights},
    rules::RuleStore,
    snapshots::SnapshotQueue,
};
use crate::{
    database::redis::RedisLink,
    models::{
        catalogue::{Catalogue, day_number},
        feedback::FeedbackSettings,
        recommendation::{DegradedReason, RecommendationRequest, Recommendations},
        snapshot::Snapshot,
        user_profile::UserProfile,
    },
    peers::{
        profile::ProfileBody,
        trace_headers::TraceHeaders,
        user_preference_service::{ProfileResponse, UserPreferenceService},
    },
    repository::recommendation_cache::{self, Fingerprint},
};

/// From this many movies on scoring takes longer than a thread that serves connections should be kept.
const LARGE_CATALOGUE: usize = 20_000;
/// Requests worked on at a time; the others wait. Otherwise a burst opens a connection to the peer for each request, and
/// the process is so busy that Redis seems to miss its time limit.
const MAX_CONCURRENT_REQUESTS: usize = 64;

/// Writes recommendations as they are sent to clients, and kept in the cache.
pub type Render = fn(&Recommendations) -> Bytes;

/// Makes recommendations. Clones share everything.
#[derive(Clone)]
pub struct Recommender(Arc<Inner>);

struct Inner {
    users: UserPreferenceService,
    redis: RedisLink,
    catalogue: CatalogueStore,
    rules: RuleStore,
    snapshots: SnapshotQueue,
    request_slots: Semaphore,
    /// As many scorings of a large catalogue at a time as there are cores.
    scoring_slots: Semaphore,
}

/// Everything that recommendations are made from.
struct ScoringInput {
    request: RecommendationRequest,
    catalogue: Arc<Catalogue>,
    profile: UserProfile,
    weights: Weights,
    now: DateTime<Utc>,
    degraded: Option<DegradedReason>,
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
        let (request_slots, scoring_slots) = (Semaphore::new(MAX_CONCURRENT_REQUESTS), Semaphore::new(cores));
        Self(Arc::new(Inner { users, redis, catalogue, rules, snapshots, request_slots, scoring_slots }))
    }

    /// The recommendations, rendered. Without the user's profile they are general, and neither cached nor recorded.
    ///
    /// # Errors
    /// [`ServiceError`]: no such user, or Redis or the catalogue is missing.
    pub async fn recommend(
        &self,
        request: RecommendationRequest,
        trace: &TraceHeaders,
        render: Render,
    ) -> Result<Bytes, ServiceError> {
        let _slot = self.0.request_slots.acquire().await.expect("the semaphore is never closed");
        let key = recommendation_cache::key(&request);
        // The cache is required: when it fails, nobody need wait for the profile.
        let (profile_body, entry) = tokio::try_join!(self.profile_body(&request, trace), self.cache_entry(&key))?;
        let catalogue = self.0.catalogue.current().ok_or(ServiceError::NoCatalogue)?;
        let (weights, now) = (self.0.rules.weights(), Utc::now().trunc_subsecs(6));
        let parameters = recommendation_cache::parameters(&request.list);
        let fingerprint = profile_body
            .as_ref()
            .map(|body| fingerprint(&[&key, &parameters], body, &catalogue, &weights, now.date_naive()));
        if let (Some(fingerprint), Some(entry)) = (&fingerprint, entry)
            && let Some(cached) = entry.verified(fingerprint)
        {
            return Ok(cached);
        }
        let (profile, degraded) = match parse_profile(profile_body, &request) {
            Ok(profile) => (profile, None),
            Err(reason) => (UserProfile::default(), Some(reason)),
        };
        let input = ScoringInput { request, catalogue, profile, weights, now, degraded };
        let (rendered, snapshot) = self.score(input, render).await;
        if let (Some(fingerprint), None) = (&fingerprint, degraded) {
            recommendation_cache::put(&self.0.redis, &key, fingerprint, &rendered).await;
            self.0.snapshots.push(snapshot);
        }
        Ok(rendered)
    }

    /// The profile as it was sent, `None` when it cannot be had.
    async fn profile_body(
        &self,
        request: &RecommendationRequest,
        trace: &TraceHeaders,
    ) -> Result<Option<ProfileBody>, ServiceError> {
        match self.0.users.profile(request.user, trace).await {
            ProfileResponse::Found(profile) => Ok(Some(profile)),
            ProfileResponse::NoSuchUser => Err(ServiceError::NoSuchUser),
            ProfileResponse::Unavailable => Ok(None),
        }
    }

    async fn cache_entry(&self, key: &str) -> Result<Option<recommendation_cache::Entry>, ServiceError> {
        Ok(recommendation_cache::get(&self.0.redis, key).await?)
    }

    async fn score(&self, input: ScoringInput, render: Render) -> (Bytes, Snapshot) {
        if input.catalogue.len() < LARGE_CATALOGUE {
            return score(input, render);
        }
        let _slot = self.0.scoring_slots.acquire().await.expect("the semaphore is never closed");
        match spawn_blocking(move || score(input, render)).await {
            Ok(scored) => scored,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

fn parse_profile(body: Option<ProfileBody>, request: &RecommendationRequest) -> Result<UserProfile, DegradedReason> {
    let body = body.ok_or(DegradedReason::ProfileUnavailable)?;
    body.parse(request.user).map_err(|error| {
        tracing::warn!(%error, user = %request.user, "user-preference-service sent an unreadable profile");
        DegradedReason::ProfileUnreadable
    })
}

fn score(input: ScoringInput, render: Render) -> (Bytes, Snapshot) {
    let ScoringInput { request, catalogue, profile, weights, now, degraded } = input;
    let feedback = FeedbackSettings::default();
    let pipeline =
        PipelineInput { catalogue: &catalogue, profile: &profile, weights: &weights, feedback: &feedback, now };
    let ranking = pipeline.rank(&request.list);
    let scores = ranking.movies.iter().map(|movie| (catalogue.ids()[movie.index], movie.score)).collect();
    let snapshot = Snapshot { user: request.user, generated_at: now, movies: scores };
    let list = Recommendations {
        id: format!("{:032x}", rand::random::<u128>()),
        user: request.user,
        strategy: ranking.strategy,
        catalogue,
        movies: ranking.movies,
        excluded: ranking.excluded,
        generated_at: now,
        degraded,
    };
    (render(&list), snapshot)
}

/// Of everything that decides what a list looks like. `request` is the key and the parameters, the package's version
/// stands for the formula and the form of the answer.
fn fingerprint(
    request: &[&str],
    profile: &ProfileBody,
    catalogue: &Catalogue,
    weights: &Weights,
    today: NaiveDate,
) -> Fingerprint {
    let weights: Vec<u8> = weights
        .active()
        .flat_map(|(rule_type, weight)| [&[rule_type as u8][..], &weight.to_bits().to_be_bytes()].concat())
        .collect();
    let request = request.join(" ");
    Fingerprint::of(&[
        env!("CARGO_PKG_VERSION").as_bytes(),
        request.as_bytes(),
        profile.as_bytes(),
        catalogue.version().as_bytes(),
        &weights,
        &day_number(today).to_be_bytes(),
    ])
}

//! Makes recommendations: from the cache when nothing has changed, otherwise scored anew.

mod also_liked;
mod anonymous;
mod group;
mod recorded;

pub use also_liked::AlsoLiked;

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use tokio::{sync::Semaphore, task::spawn_blocking, time::Instant};

use super::{
    ServiceError,
    catalogue::CatalogueStore,
    list_queue::ListQueue,
    models::ModelStore,
    pipeline::{LinkedModel, PipelineInput, Ranking},
    rule_set::RuleSet,
    rules::RuleStore,
};
use crate::{
    database::redis::RedisLink,
    metrics::metrics,
    models::{
        catalogue::{Catalogue, day_number},
        list_request::ListRequest,
        recommendation::{DegradedReason, RecommendationRequest, Recommendations},
        recorded_list::RecordedList,
        user_id::UserId,
        user_profile::UserProfile,
    },
    peers::{
        profile::ProfileBody,
        trace_headers::TraceHeaders,
        user_preference_service::{ProfileResponse, UserPreferenceService},
        user_revisions::RevisionResponse,
    },
    repository::recommendation_cache::{self, Entry, Versions},
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
    models: ModelStore,
    lists: ListQueue,
    request_slots: Semaphore,
    /// As many scorings of a large catalogue at a time as there are cores.
    scoring_slots: Semaphore,
}

/// What a list is made from besides the user, as it is when the request comes.
#[derive(Clone)]
struct Sources {
    catalogue: Arc<Catalogue>,
    rules: Arc<RuleSet>,
    model: Option<Arc<LinkedModel>>,
    now: DateTime<Utc>,
}

/// What is known of a user before a list is made.
enum UserState {
    /// The revision of what user-preference-service knows.
    Revision(String),
    /// All that it knows, from a release that has no revisions.
    Profile(ProfileBody),
    /// It does not say.
    Unavailable,
}

impl Recommender {
    /// Puts the parts together.
    pub fn new(
        users: UserPreferenceService,
        redis: RedisLink,
        catalogue: CatalogueStore,
        rules: RuleStore,
        models: ModelStore,
        lists: ListQueue,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (request_slots, scoring_slots) = (Semaphore::new(MAX_CONCURRENT_REQUESTS), Semaphore::new(cores));
        Self(Arc::new(Inner { users, redis, catalogue, rules, models, lists, request_slots, scoring_slots }))
    }

    /// The recommendations, rendered: from the cache if nothing has changed that they were made from. Without the user's
    /// profile they are general, and not cached.
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
        let deadline = self.0.users.deadline();
        let key = recommendation_cache::key(&request);
        // The cache is required: when it fails, nobody need wait for the user's state.
        let (state, entry) = tokio::try_join!(self.user_state(&request, trace, deadline), self.cache_entry(&key))?;
        let sources = self.fresh_sources(Some(request.user)).await?;
        let parameters = recommendation_cache::parameters(&request.list);
        let request_text = (key.as_str(), parameters.as_str());
        let cached = match (entry, state.revision()) {
            (Some(entry), Some(revision)) => entry.verified(&sources.versions(request_text, &revision)),
            _ => None,
        };
        metrics().record_cache_lookup("recommendations", cached.is_some());
        if let Some(cached) = cached {
            return Ok(cached);
        }
        let profile_body = self.profile_body(state, &request, trace, deadline).await?;
        let revision = profile_body.as_ref().map(ProfileBody::revision);
        let profile = parse_profile(profile_body, request.user);
        let is_general = profile.is_err();
        let scoring = {
            let sources = sources.clone();
            move || score(&request, &sources, profile, render)
        };
        let (rendered, recorded) = self.run(&sources, scoring).await;
        self.0.lists.push(recorded);
        if let (Some(revision), false) = (revision, is_general) {
            let versions = sources.versions(request_text, &revision);
            recommendation_cache::put(&self.0.redis, &key, &versions, &rendered).await;
        }
        Ok(rendered)
    }

    /// With every change of a rule that was acknowledged before the call.
    async fn fresh_sources(&self, user: Option<UserId>) -> Result<Sources, ServiceError> {
        self.0.rules.usable().await;
        self.sources(user)
    }

    fn sources(&self, user: Option<UserId>) -> Result<Sources, ServiceError> {
        let catalogue = self.0.catalogue.current().ok_or(ServiceError::NoCatalogue)?;
        let model = self.0.models.linked(&catalogue);
        Ok(Sources { catalogue, rules: self.0.rules.set_of(user), model, now: Utc::now().trunc_subsecs(6) })
    }

    async fn user_state(
        &self,
        request: &RecommendationRequest,
        trace: &TraceHeaders,
        deadline: Instant,
    ) -> Result<UserState, ServiceError> {
        match self.0.users.revision(request.user, trace, deadline).await {
            RevisionResponse::Known(revision) => Ok(UserState::Revision(revision)),
            RevisionResponse::NoSuchUser => Err(ServiceError::NoSuchUser),
            RevisionResponse::Unavailable => Ok(UserState::Unavailable),
            RevisionResponse::Unsupported => {
                let profile = self.fetch_profile(request.user, trace, deadline).await?;
                Ok(profile.map_or(UserState::Unavailable, UserState::Profile))
            }
        }
    }

    /// The profile as it was sent, `None` when it cannot be had.
    async fn profile_body(
        &self,
        state: UserState,
        request: &RecommendationRequest,
        trace: &TraceHeaders,
        deadline: Instant,
    ) -> Result<Option<ProfileBody>, ServiceError> {
        match state {
            UserState::Revision(_) => self.fetch_profile(request.user, trace, deadline).await,
            UserState::Profile(profile) => Ok(Some(profile)),
            UserState::Unavailable => Ok(None),
        }
    }

    async fn fetch_profile(
        &self,
        user: UserId,
        trace: &TraceHeaders,
        deadline: Instant,
    ) -> Result<Option<ProfileBody>, ServiceError> {
        match self.0.users.profile(user, trace, deadline).await {
            ProfileResponse::Found(profile) => Ok(Some(profile)),
            ProfileResponse::NoSuchUser => Err(ServiceError::NoSuchUser),
            ProfileResponse::Unavailable => Ok(None),
        }
    }

    async fn cache_entry(&self, key: &str) -> Result<Option<Entry>, ServiceError> {
        Ok(recommendation_cache::get(&self.0.redis, key).await?)
    }

    /// Runs `scoring`; over a large catalogue on a thread of its own.
    async fn run<T: Send + 'static>(&self, sources: &Sources, scoring: impl FnOnce() -> T + Send + 'static) -> T {
        if sources.catalogue.len() < LARGE_CATALOGUE {
            return scoring();
        }
        let _slot = self.0.scoring_slots.acquire().await.expect("the semaphore is never closed");
        match spawn_blocking(scoring).await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl UserState {
    fn revision(&self) -> Option<String> {
        match self {
            Self::Revision(revision) => Some(revision.clone()),
            Self::Profile(profile) => Some(profile.revision()),
            Self::Unavailable => None,
        }
    }
}

impl Sources {
    /// What the pipeline works on, for this user.
    fn input<'a>(&'a self, profile: &'a UserProfile) -> PipelineInput<'a> {
        PipelineInput {
            catalogue: &self.catalogue,
            profile,
            weights: &self.rules.weights,
            feedback: &self.rules.feedback,
            model: self.model.as_deref(),
            now: self.now,
        }
    }

    /// The list that `request` wants, for what `profile` says.
    fn list(&self, user: Option<UserId>, profile: &UserProfile, request: &ListRequest) -> Recommendations {
        let Ranking { strategy, rules, movies, excluded } = self.input(profile).rank(request);
        Recommendations {
            id: recommendation_id(),
            user,
            strategy,
            rules,
            arm: self.rules.arm.clone(),
            catalogue: self.catalogue.clone(),
            movies,
            excluded,
            generated_at: self.now,
            degraded: None,
        }
    }

    /// The version of the collaborative model, `""` without one.
    fn model_version(&self) -> &str {
        self.model.as_ref().map_or("", |model| &model.model().info().version)
    }

    fn versions<'a>(&'a self, request: (&'a str, &'a str), user: &'a str) -> Versions<'a> {
        Versions {
            request,
            user,
            catalogue: self.catalogue.version(),
            rules: &self.rules.version,
            model: self.model_version(),
            day: day_number(self.now.date_naive()),
        }
    }
}

fn parse_profile(body: Option<ProfileBody>, user: UserId) -> Result<UserProfile, DegradedReason> {
    let body = body.ok_or(DegradedReason::ProfileUnavailable)?;
    body.parse(user).map_err(|error| {
        tracing::warn!(%error, %user, "user-preference-service sent an unreadable profile");
        DegradedReason::ProfileUnreadable
    })
}

/// Makes and renders the list; without a profile a general one.
fn score(
    request: &RecommendationRequest,
    sources: &Sources,
    profile: Result<UserProfile, DegradedReason>,
    render: Render,
) -> (Bytes, RecordedList) {
    let (profile, degraded) = match profile {
        Ok(profile) => (profile, None),
        Err(reason) => (UserProfile::default(), Some(reason)),
    };
    let list = Recommendations { degraded, ..sources.list(Some(request.user), &profile, &request.list) };
    (render(&list), recorded::of_list(&list, &request.list, sources))
}

/// A name for a new list, by which events refer to it.
fn recommendation_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

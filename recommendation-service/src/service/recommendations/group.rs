//! A list for several users together.

use futures_util::future::try_join_all;

use super::{Recommender, parse_profile, recommendation_id, recorded};
use crate::{
    models::{
        group::{GroupRecommendations, GroupRequest},
        recommendation::DegradedReason,
        user_profile::UserProfile,
    },
    peers::{trace_headers::TraceHeaders, user_preference_service::ProfileResponse},
    service::{ServiceError, pipeline::group},
};

impl Recommender {
    /// The list for a group; not cached. When a member's profile cannot be had, it is a general one.
    ///
    /// # Errors
    /// [`ServiceError`]: a member does not exist, or the catalogue is missing.
    pub async fn recommend_to_group(
        &self,
        request: GroupRequest,
        trace: &TraceHeaders,
    ) -> Result<GroupRecommendations, ServiceError> {
        let _slot = self.0.request_slots.acquire().await.expect("the semaphore is never closed");
        let sources = self.fresh_sources(None).await?;
        let (members, degraded) = match self.members(&request, trace).await? {
            Ok(members) => (members, None),
            Err(reason) => (vec![UserProfile::default(); request.users.len()], Some(reason)),
        };
        let scoring = {
            let (sources, request) = (sources.clone(), request.clone());
            move || group::rank(&sources.input(&UserProfile::default()), &members, &request)
        };
        let group::GroupRanking { movies, excluded } = self.run(&sources, scoring).await;
        let list = GroupRecommendations {
            id: recommendation_id(),
            request,
            catalogue: sources.catalogue.clone(),
            movies,
            excluded,
            generated_at: sources.now,
            degraded,
        };
        self.0.lists.push(recorded::of_group(&list, &sources));
        Ok(list)
    }

    /// The profiles of all members, asked for at the same time.
    async fn members(
        &self,
        request: &GroupRequest,
        trace: &TraceHeaders,
    ) -> Result<Result<Vec<UserProfile>, DegradedReason>, ServiceError> {
        let deadline = self.0.users.deadline();
        let profile = async |user| match self.0.users.profile(user, trace, deadline).await {
            ProfileResponse::Found(profile) => Ok(parse_profile(Some(profile), user)),
            ProfileResponse::NoSuchUser => Err(ServiceError::NoSuchMember(user)),
            ProfileResponse::Unavailable => Ok(parse_profile(None, user)),
        };
        let profiles = try_join_all(request.users.iter().map(|user| profile(*user))).await?;
        Ok(profiles.into_iter().collect())
    }
}

//! A list for a visitor without an account, from what the request itself says.

use super::{Recommender, Sources, recommendation_id};
use crate::{
    models::{list_request::ListRequest, recommendation::Recommendations, user_profile::UserProfile},
    service::ServiceError,
};

impl Recommender {
    /// The list for a visitor; neither cached nor recorded.
    ///
    /// # Errors
    /// [`ServiceError::NoCatalogue`].
    pub async fn recommend_to_visitor(
        &self,
        profile: UserProfile,
        request: ListRequest,
    ) -> Result<Recommendations, ServiceError> {
        let _slot = self.0.request_slots.acquire().await.expect("the semaphore is never closed");
        let sources = self.fresh_sources().await?;
        let scoring = {
            let sources = sources.clone();
            move || list(&sources, &profile, &request)
        };
        Ok(self.run(&sources, scoring).await)
    }
}

fn list(sources: &Sources, profile: &UserProfile, request: &ListRequest) -> Recommendations {
    let ranking = sources.input(profile).rank(request);
    Recommendations {
        id: recommendation_id(),
        user: None,
        strategy: ranking.strategy,
        catalogue: sources.catalogue.clone(),
        movies: ranking.movies,
        excluded: ranking.excluded,
        generated_at: sources.now,
        degraded: None,
    }
}

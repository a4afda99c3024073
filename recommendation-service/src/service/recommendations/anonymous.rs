//! A list for a visitor without an account, from what the request itself says.

use super::{Recommender, recorded};
use crate::{
    models::{list_request::ListRequest, recommendation::Recommendations, user_profile::UserProfile},
    service::ServiceError,
};

impl Recommender {
    /// The list for a visitor; not cached. What is known of the visitor is not kept.
    ///
    /// # Errors
    /// [`ServiceError::NoCatalogue`].
    pub async fn recommend_to_visitor(
        &self,
        profile: UserProfile,
        request: ListRequest,
    ) -> Result<Recommendations, ServiceError> {
        let _slot = self.0.request_slots.acquire().await.expect("the semaphore is never closed");
        let sources = self.fresh_sources(None).await?;
        let scoring = {
            let sources = sources.clone();
            move || {
                let list = sources.list(None, &profile, &request);
                let recorded = recorded::of_list(&list, &request, &sources);
                (list, recorded)
            }
        };
        let (list, recorded) = self.run(&sources, scoring).await;
        self.0.lists.push(recorded);
        Ok(list)
    }
}

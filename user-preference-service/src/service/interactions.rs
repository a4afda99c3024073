//! Recording and listing interactions.

use super::ServiceError;
use crate::{
    lifecycle::Lifecycle,
    models::{
        id::{PathId, UserId},
        interaction::{Interaction, ListLimit, NewInteraction},
    },
    repository::{
        interactions::{self, USER_KEY},
        store::Store,
    },
};

/// The use cases.
#[derive(Clone)]
pub struct Interactions {
    store: Store,
    lifecycle: Lifecycle,
}

impl Interactions {
    /// Interactions in `store`.
    pub fn new(store: Store, lifecycle: Lifecycle) -> Self {
        Self { store, lifecycle }
    }

    /// Records an interaction, also when the client goes away meanwhile.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn record(&self, id: PathId, new: NewInteraction) -> Result<Interaction, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        let store = self.store.clone();
        let recorded =
            self.lifecycle.run_to_completion(async move { interactions::insert(&store, user, new).await }).await;
        recorded.map_err(|error| ServiceError::of_write(error, &[(USER_KEY, ServiceError::UserNotFound)]))
    }

    /// The user, and the latest interactions, newest first.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn newest(&self, id: PathId, limit: ListLimit) -> Result<(UserId, Vec<Interaction>), ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        let found = interactions::newest(&self.store, user, limit).await.map_err(ServiceError::of_read)?;
        Ok((user, found.ok_or(ServiceError::UserNotFound)?))
    }
}

//! What recommendations need to know of a user.

use super::ServiceError;
use crate::{
    models::{id::PathId, profile::Profile},
    repository::{profiles, store::Store},
};

/// The use case.
#[derive(Clone)]
pub struct Profiles {
    store: Store,
}

impl Profiles {
    /// Profiles of the users in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The profile as it is now: always from the database, so that a change shows in the very next recommendation.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn get(&self, id: PathId) -> Result<Profile, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        profiles::find(&self.store, user).await.map_err(ServiceError::of_read)?.ok_or(ServiceError::UserNotFound)
    }
}

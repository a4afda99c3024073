//! What recommendations need to know of a user.

use super::ServiceError;
use crate::{
    database::postgres::Database,
    models::{id::PathId, profile::Profile},
    repository::profiles,
};

/// The use case.
#[derive(Clone)]
pub struct Profiles {
    database: Database,
}

impl Profiles {
    /// Profiles of the users in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The profile as it is now: always from the database, so that a change shows in the very next recommendation.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn get(&self, id: PathId) -> Result<Profile, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        profiles::find(&self.database, user).await?.ok_or(ServiceError::UserNotFound)
    }
}

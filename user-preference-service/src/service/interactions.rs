//! Recording and listing interactions.

use super::ServiceError;
use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::{
        id::{PathId, UserId},
        interaction::{Interaction, ListLimit, NewInteraction},
    },
    repository::interactions::{self, USER_KEY},
};

/// The use cases.
#[derive(Clone)]
pub struct Interactions {
    database: Database,
    lifecycle: Lifecycle,
}

impl Interactions {
    /// Interactions in `database`.
    pub fn new(database: Database, lifecycle: Lifecycle) -> Self {
        Self { database, lifecycle }
    }

    /// Records an interaction, also when the client goes away meanwhile.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn record(&self, id: PathId, new: NewInteraction) -> Result<Interaction, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        let database = self.database.clone();
        let recorded =
            self.lifecycle.run_to_completion(async move { interactions::insert(&database, user, &new).await }).await;
        recorded.map_err(|error| ServiceError::from_write(error, &[(USER_KEY, ServiceError::UserNotFound)]))
    }

    /// The user, and the latest interactions, newest first.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn newest(&self, id: PathId, limit: ListLimit) -> Result<(UserId, Vec<Interaction>), ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        let found = interactions::newest(&self.database, user, limit).await?;
        Ok((user, found.ok_or(ServiceError::UserNotFound)?))
    }
}

//! Creating and showing users.

use super::ServiceError;
use crate::{
    lifecycle::Lifecycle,
    models::{
        id::PathId,
        user::{NewUser, User},
    },
    repository::{
        store::Store,
        users::{self, EMAIL_KEY, USERNAME_KEY},
    },
};

/// The use cases.
#[derive(Clone)]
pub struct Users {
    store: Store,
    lifecycle: Lifecycle,
}

impl Users {
    /// Users in `store`.
    pub fn new(store: Store, lifecycle: Lifecycle) -> Self {
        Self { store, lifecycle }
    }

    /// Creates a user, also when the client goes away meanwhile.
    ///
    /// # Errors
    /// [`ServiceError::UsernameTaken`], [`ServiceError::EmailTaken`], or a failure of the database.
    pub async fn create(&self, user: NewUser) -> Result<User, ServiceError> {
        let store = self.store.clone();
        let created = self.lifecycle.run_to_completion(async move { users::insert(&store, &user).await }).await;
        let constraints = [(USERNAME_KEY, ServiceError::UsernameTaken), (EMAIL_KEY, ServiceError::EmailTaken)];
        created.map_err(|error| ServiceError::of_write(error, &constraints))
    }

    /// The user.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn get(&self, id: PathId) -> Result<User, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        users::find(&self.store, user).await.map_err(ServiceError::of_read)?.ok_or(ServiceError::UserNotFound)
    }
}

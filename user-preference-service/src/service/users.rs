//! Creating and showing users.

use super::ServiceError;
use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::{
        id::PathId,
        user::{NewUser, User},
    },
    repository::users::{self, EMAIL_KEY, USERNAME_KEY},
};

/// The use cases.
#[derive(Clone)]
pub struct Users {
    database: Database,
    lifecycle: Lifecycle,
}

impl Users {
    /// Users in `database`.
    pub fn new(database: Database, lifecycle: Lifecycle) -> Self {
        Self { database, lifecycle }
    }

    /// Creates a user, also when the client goes away meanwhile.
    ///
    /// # Errors
    /// [`ServiceError::UsernameTaken`], [`ServiceError::EmailTaken`], or a failure of the database.
    pub async fn create(&self, user: NewUser) -> Result<User, ServiceError> {
        let database = self.database.clone();
        let created = self.lifecycle.run_to_completion(async move { users::insert(&database, &user).await }).await;
        let constraints = [(USERNAME_KEY, ServiceError::UsernameTaken), (EMAIL_KEY, ServiceError::EmailTaken)];
        created.map_err(|error| ServiceError::from_write(error, &constraints))
    }

    /// The user.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn get(&self, id: PathId) -> Result<User, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        users::find(&self.database, user).await?.ok_or(ServiceError::UserNotFound)
    }
}

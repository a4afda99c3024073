//! What tells whether anything of a user has changed.

use super::ServiceError;
use crate::{
    database::postgres::Database,
    models::revision::{Revision, UserIds},
    repository::revisions,
};

/// The use case.
#[derive(Clone)]
pub struct Revisions {
    database: Database,
}

impl Revisions {
    /// Revisions of the users in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The revisions as they are now, of those of the users who exist, by user.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn get(&self, users: &UserIds) -> Result<Vec<Revision>, ServiceError> {
        Ok(revisions::find_many(&self.database, users.as_slice()).await?)
    }
}

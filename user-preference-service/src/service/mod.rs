//! Use cases.

mod batcher;
pub mod feed;
mod interaction_writer;
pub mod interactions;
mod preference_loader;
pub mod preferences;
pub mod profiles;
pub mod revisions;
pub mod users;

use crate::database::postgres::DatabaseError;

/// Why a use case failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// There is no such user.
    #[error("user not found")]
    UserNotFound,
    /// Another user has this name.
    #[error("username already exists")]
    UsernameTaken,
    /// Another user has this address.
    #[error("email already exists")]
    EmailTaken,
    /// Any other failure of the database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ServiceError {
    /// What a failed write means; `constraints` are those that it may violate.
    fn from_write(error: DatabaseError, constraints: &[(&str, Self)]) -> Self {
        match &error {
            DatabaseError::Constraint(name) => match constraints.iter().find(|(known, _)| known == name) {
                Some((_, meaning)) => meaning.clone(),
                None => error.into(),
            },
            _ => error.into(),
        }
    }
}

//! Use cases.

mod flights;
pub mod interactions;
pub mod preferences;
pub mod profiles;
pub mod users;

use std::sync::Arc;

use crate::repository::store::StoreError;

/// Why a use case failed. Clones share the cause.
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
    /// The database does not work; nothing was changed.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<StoreError>),
    /// The database got a change and did not confirm it: it may be stored or not.
    #[error("a change was not confirmed")]
    Unconfirmed(#[source] Arc<StoreError>),
    /// Something that a person must look at.
    #[error("unexpected failure")]
    Unexpected(#[source] Option<Arc<StoreError>>),
}

impl ServiceError {
    /// What a failed read means.
    fn of_read(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::NoAnswer(_) => Self::Unavailable(Arc::new(error)),
            StoreError::Constraint(_) | StoreError::Unexpected(_) => Self::Unexpected(Some(Arc::new(error))),
        }
    }

    /// What a failed change means; `constraints` are those that it may hit.
    fn of_write(error: StoreError, constraints: &[(&str, Self)]) -> Self {
        match &error {
            StoreError::Constraint(name) => match constraints.iter().find(|(known, _)| known == name) {
                Some((_, meaning)) => meaning.clone(),
                None => Self::Unexpected(Some(Arc::new(error))),
            },
            StoreError::NoAnswer(_) => Self::Unconfirmed(Arc::new(error)),
            StoreError::Unavailable(_) => Self::Unavailable(Arc::new(error)),
            StoreError::Unexpected(_) => Self::Unexpected(Some(Arc::new(error))),
        }
    }
}

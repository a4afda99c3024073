//! Why reads fail.

use crate::{database::postgres::DatabaseError, models::genre::UnknownGenre};

/// The database does not answer; the cause is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database is not available")]
pub struct Unavailable;

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The database does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A filter names a genre that there is not.
    #[error("there is no such genre")]
    UnknownGenre(UnknownGenre),
    /// A cursor was not made for this query, or not here.
    #[error("this is no cursor of the query")]
    InvalidCursor,
}

impl From<DatabaseError> for Unavailable {
    fn from(_: DatabaseError) -> Self {
        Self
    }
}

impl From<DatabaseError> for ListError {
    fn from(error: DatabaseError) -> Self {
        Self::Unavailable(error.into())
    }
}

//! Reads preferences in batches.

use super::batcher::{BatchWork, Batcher};
use crate::{
    database::postgres::{Database, DatabaseError},
    models::id::UserId,
    repository::preferences::{self, Found},
};

/// Reads preferences as they are now, or finds that they still have the revision that the caller knows.
pub type PreferenceLoader = Batcher<LoadPreferences>;

/// The work of a [`PreferenceLoader`].
pub struct LoadPreferences {
    /// Where preferences are.
    pub database: Database,
}

impl BatchWork for LoadPreferences {
    /// The user, and the revision that the caller knows.
    type Request = (UserId, Option<i64>);
    type Reply = Found;

    const BATCH_SIZE: usize = 1000;

    async fn run(&self, lookups: Vec<Self::Request>) -> Vec<Result<Found, DatabaseError>> {
        match preferences::find_many(&self.database, &lookups).await {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); lookups.len()],
        }
    }

    fn timed_out(error: sqlx::Error) -> DatabaseError {
        DatabaseError::from_read(error)
    }
}

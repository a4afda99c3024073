//! Stores interactions in batches: many of them cost one statement and one commit.

use super::batcher::{BatchWork, Batcher};
use crate::{
    database::postgres::{Database, DatabaseError},
    lifecycle::Lifecycle,
    models::{
        id::UserId,
        interaction::{Interaction, NewInteraction},
    },
    repository::interactions::{self, USER_KEY},
};

/// Batches that may be under way at the same time, each of other users: writes of one user wait for each other in
/// PostgreSQL anyway, as each raises the user's revision, and those of other users need not wait with them.
const LANES: usize = 4;

/// The writer. Clones share the queues.
#[derive(Clone)]
pub struct InteractionWriter {
    database: Database,
    lanes: [Batcher<StoreInteractions>; LANES],
}

impl InteractionWriter {
    /// Writes to `database`.
    pub fn new(database: Database, lifecycle: &Lifecycle) -> Self {
        let lane = |_| Batcher::new(StoreInteractions { database: database.clone() }, lifecycle.clone());
        Self { lanes: std::array::from_fn(lane), database }
    }

    /// Stores an interaction, also when the caller goes away meanwhile; `None` when there is no such user.
    ///
    /// # Errors
    /// [`DatabaseError`], `Unconfirmed` when there is no answer within the limit of one write.
    pub async fn store(&self, user: UserId, new: NewInteraction) -> Result<Option<Interaction>, DatabaseError> {
        let lane = user.get().unsigned_abs() as usize % LANES;
        self.lanes[lane].submit((user, new), self.database.query_timeout()).await
    }
}

/// The work of one lane.
struct StoreInteractions {
    database: Database,
}

impl BatchWork for StoreInteractions {
    type Request = (UserId, NewInteraction);
    type Reply = Option<Interaction>;

    const BATCH_SIZE: usize = 256;

    async fn run(&self, new: Vec<Self::Request>) -> Vec<Result<Option<Interaction>, DatabaseError>> {
        match interactions::insert_many(&self.database, &new).await {
            Ok(stored) => stored.into_iter().map(Ok).collect(),
            // A user was deleted after the statement had begun; the interactions of the others are still to be stored.
            Err(DatabaseError::Constraint(name)) if name == USER_KEY => {
                let mut results = Vec::with_capacity(new.len());
                for one in &new {
                    results.push(self.store_alone(one).await);
                }
                results
            }
            Err(error) => vec![Err(error); new.len()],
        }
    }

    fn timed_out(error: sqlx::Error) -> DatabaseError {
        DatabaseError::from_write(error)
    }
}

impl StoreInteractions {
    async fn store_alone(&self, new: &(UserId, NewInteraction)) -> Result<Option<Interaction>, DatabaseError> {
        match interactions::insert_many(&self.database, std::slice::from_ref(new)).await {
            Ok(mut stored) => Ok(stored.pop().flatten()),
            Err(DatabaseError::Constraint(name)) if name == USER_KEY => Ok(None),
            Err(error) => Err(error),
        }
    }
}

//! Recording and listing interactions.

use super::{ServiceError, interaction_writer::InteractionWriter};
use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::{
        id::{PathId, UserId},
        interaction::{Interaction, ListLimit, NewInteraction},
    },
    repository::interactions,
};

/// The use cases.
#[derive(Clone)]
pub struct Interactions {
    database: Database,
    writer: InteractionWriter,
}

impl Interactions {
    /// Interactions in `database`.
    pub fn new(database: Database, lifecycle: &Lifecycle) -> Self {
        Self { writer: InteractionWriter::new(database.clone(), lifecycle), database }
    }

    /// Records an interaction, also when the client goes away meanwhile.
    ///
    /// # Errors
    /// [`ServiceError::UserNotFound`], or a failure of the database.
    pub async fn record(&self, id: PathId, new: NewInteraction) -> Result<Interaction, ServiceError> {
        let user = id.user().ok_or(ServiceError::UserNotFound)?;
        self.writer.store(user, new).await?.ok_or(ServiceError::UserNotFound)
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

//! The lists that were made for a user before.

use super::{ServiceError, list_queue::ListQueue};
use crate::{
    database::postgres::Database,
    models::{
        recorded_list::{ListDifference, RecordedList},
        user_id::UserId,
    },
    peers::{
        trace_headers::TraceHeaders, user_preference_service::UserPreferenceService, user_revisions::RevisionResponse,
    },
    repository::recorded_lists,
};

/// Reads recorded lists. Clones share everything.
#[derive(Clone)]
pub struct ListHistory {
    users: UserPreferenceService,
    database: Database,
    queue: ListQueue,
}

/// Two lists of a user and what changed from one to the other.
#[derive(Debug)]
pub struct ComparedLists {
    /// The first one.
    pub before: RecordedList,
    /// The second one.
    pub after: RecordedList,
    /// What changed.
    pub difference: ListDifference,
}

impl ListHistory {
    /// On this database; lists that still wait in `queue` are waited for.
    pub fn new(users: UserPreferenceService, database: Database, queue: ListQueue) -> Self {
        Self { users, database, queue }
    }

    /// At most `limit` lists of a user, newest first, of those before the list `before`.
    ///
    /// # Errors
    /// [`ServiceError`]: there is no such user, `before` is not a list of the user, or the database does not work.
    pub async fn page(
        &self,
        user: UserId,
        limit: i64,
        before: Option<&str>,
        trace: &TraceHeaders,
    ) -> Result<Vec<RecordedList>, ServiceError> {
        self.ready(user, trace).await?;
        let before = match before {
            Some(id) => Some(self.list_of(user, id, "before").await?),
            None => None,
        };
        Ok(recorded_lists::page(&self.database, user, limit, before.as_ref()).await?)
    }

    /// Two lists of a user, by their ids.
    ///
    /// # Errors
    /// [`ServiceError`]: there is no such user, one is not a list of the user, or the database does not work.
    pub async fn compare(
        &self,
        user: UserId,
        from: &str,
        to: &str,
        trace: &TraceHeaders,
    ) -> Result<ComparedLists, ServiceError> {
        self.ready(user, trace).await?;
        let before = self.list_of(user, from, "from").await?;
        let after = self.list_of(user, to, "to").await?;
        let difference = ListDifference::between(&before, &after);
        Ok(ComparedLists { before, after, difference })
    }

    /// Whether there is such a user; what was just recommended is readable then. Without user-preference-service, what is
    /// recorded speaks for itself.
    async fn ready(&self, user: UserId, trace: &TraceHeaders) -> Result<(), ServiceError> {
        match self.users.revision(user, trace, self.users.deadline()).await {
            RevisionResponse::NoSuchUser => Err(ServiceError::NoSuchUser),
            RevisionResponse::Unsupported | RevisionResponse::Unavailable | RevisionResponse::Known(_) => {
                self.queue.flushed().await;
                Ok(())
            }
        }
    }

    async fn list_of(&self, user: UserId, id: &str, parameter: &'static str) -> Result<RecordedList, ServiceError> {
        let list = recorded_lists::find(&self.database, id).await?;
        list.filter(|list| list.user == Some(user)).ok_or(ServiceError::NoListOfUser(parameter))
    }
}

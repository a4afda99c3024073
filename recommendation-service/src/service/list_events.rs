//! What people did with the movies of recorded lists.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use tokio::time::sleep;

use super::{ServiceError, list_queue::ListQueue};
use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::{
        list_event::{EventBatch, ReportLine, outcomes},
        recorded_list::RecordedList,
    },
    repository::{list_events, recorded_lists},
};

/// Longest time that a report is about, in days; so long events are kept.
pub const MAX_REPORT_DAYS: u16 = 365;
/// How long another replica may take to write a list that it has just sent.
const REPLICA_PAUSE: Duration = Duration::from_millis(300);

/// Stores events and reports them. Clones share everything.
#[derive(Clone)]
pub struct ListEvents {
    database: Database,
    lifecycle: Lifecycle,
    queue: ListQueue,
}

/// What a report is about.
#[derive(Debug)]
pub struct Report {
    /// Lists that were made since then.
    pub since: DateTime<Utc>,
    /// Each group of movies, those of a kind in order.
    pub lines: Vec<ReportLine>,
}

impl ListEvents {
    /// On this database; lists that still wait in `queue` are waited for. Writes under way are waited for at the end of
    /// `lifecycle`.
    pub fn new(database: Database, lifecycle: Lifecycle, queue: ListQueue) -> Self {
        Self { database, lifecycle, queue }
    }

    /// Stores events; one that is stored already changes nothing.
    ///
    /// # Errors
    /// [`ServiceError`]: no such list is recorded, it is another user's, a movie is not in it, or the database does not
    /// work.
    pub async fn store(&self, batch: EventBatch) -> Result<(), ServiceError> {
        let is_of_another = |list: &RecordedList| matches!((list.user, batch.user), (Some(a), Some(b)) if a != b);
        let list = self.find(&batch.list).await?.filter(|list| !is_of_another(list)).ok_or(ServiceError::NoSuchList)?;
        let outcomes = outcomes(&list, &batch.events).map_err(ServiceError::NotInList)?;
        let database = self.database.clone();
        let write = async move { list_events::store(&database, &list, &outcomes).await };
        Ok(self.lifecycle.run_to_completion(write).await?)
    }

    /// What lists of the last `days` days came to.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn report(&self, days: u16) -> Result<Report, ServiceError> {
        let since = Utc::now() - Days::new(days.into());
        Ok(Report { since, lines: list_events::report(&self.database, since).await? })
    }

    /// The list, also one that was sent a moment ago and is being written, here or by another replica.
    async fn find(&self, id: &str) -> Result<Option<RecordedList>, ServiceError> {
        if !RecordedList::is_id(id) {
            return Ok(None);
        }
        if let Some(list) = recorded_lists::find(&self.database, id).await? {
            return Ok(Some(list));
        }
        tokio::join!(self.queue.flushed(), sleep(REPLICA_PAUSE));
        Ok(recorded_lists::find(&self.database, id).await?)
    }
}

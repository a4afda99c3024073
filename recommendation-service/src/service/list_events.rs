//! What people did with the movies of recorded lists.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use tokio::time::sleep;

use super::{ServiceError, list_queue::ListQueue};
use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::{
        feedback::FeedbackKind,
        list_event::{EventBatch, EventType, ListEvent, ReportLine, outcomes},
        recorded_list::RecordedList,
        user_id::UserId,
    },
    repository::{list_events, recorded_lists},
    service::training::feedback_log::FeedbackEntry,
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
        let list = self.find(&batch.list).await?.ok_or(ServiceError::NoSuchList)?;
        self.store_in(list, batch).await
    }

    /// Stores the plays that feedback tells of. What names a list that is not recorded, or not that user's, or a movie that
    /// is not in it, counts nothing.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn store_plays(&self, feedback: &[FeedbackEntry]) -> Result<(), ServiceError> {
        let first = (Utc::now() - Days::new(MAX_REPORT_DAYS.into())).timestamp();
        let recent = feedback.iter().filter(|entry| entry.occurred_at >= first);
        for batch in recent.filter_map(play) {
            let Some(list) = recorded_lists::find(&self.database, &batch.list).await? else { continue };
            match self.store_in(list, batch).await {
                Ok(()) | Err(ServiceError::NoSuchList | ServiceError::NotInList(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn store_in(&self, list: RecordedList, batch: EventBatch) -> Result<(), ServiceError> {
        if matches!((list.user, batch.user), (Some(a), Some(b)) if a != b) {
            return Err(ServiceError::NoSuchList);
        }
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

/// A play, if feedback says that a movie of a list was seen: it was watched, liked or rated, and the list is named.
fn play(entry: &FeedbackEntry) -> Option<EventBatch> {
    let was_seen = matches!(entry.kind, FeedbackKind::Watched | FeedbackKind::Like | FeedbackKind::Rating(_));
    let list = entry.recommendation_id.clone().filter(|id| was_seen && RecordedList::is_id(id))?;
    let occurred_at = DateTime::from_timestamp(entry.occurred_at, 0)?;
    let event = ListEvent { event_type: EventType::Play, movie_id: entry.movie_id, occurred_at };
    Some(EventBatch { list, user: UserId::try_from(entry.user_id).ok(), events: vec![event] })
}

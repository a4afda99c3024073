//! Deletes what was recorded too long ago, a little at a time, so that nothing else waits for it. Every replica does it; each
//! leaves alone what another one is deleting.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::list_events::MAX_REPORT_DAYS;
use crate::{
    database::postgres::{Database, DatabaseError},
    repository::{list_events, recorded_lists},
};

/// Pause between two looks for old lists.
const INTERVAL: Duration = Duration::from_secs(3600);
/// Rows deleted by one statement.
const BATCH: i64 = 500;
/// Pause between two statements.
const PAUSE: Duration = Duration::from_millis(100);

/// Deletes lists that are older than `days` and events that no report is about, at once and then every hour, until `stop`.
pub async fn delete_periodically(database: Database, days: u16, stop: CancellationToken) {
    loop {
        // What failed was logged, and is tried again.
        if let Ok(rows @ 1..) = delete_old(&database, days, &stop).await {
            tracing::info!(rows, days, "old lists and events deleted");
        }
        if stop.run_until_cancelled(sleep(INTERVAL)).await.is_none() {
            return;
        }
    }
}

/// What is deleted when it was made before a time.
#[derive(Debug, Clone, Copy)]
enum Old {
    Lists(DateTime<Utc>),
    Events(DateTime<Utc>),
}

/// Deletes lists that are older than `days` and events that no report is about, and says how many rows; ends early when
/// `stop` is cancelled.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn delete_old(database: &Database, days: u16, stop: &CancellationToken) -> Result<u64, DatabaseError> {
    let age = |days: u16| Utc::now() - Days::new(days.into());
    let lists = in_batches(database, Old::Lists(age(days)), stop).await?;
    Ok(lists + in_batches(database, Old::Events(age(MAX_REPORT_DAYS)), stop).await?)
}

/// Deletes until there is less than a batch left. A statement that is under way is not cut off.
async fn in_batches(database: &Database, old: Old, stop: &CancellationToken) -> Result<u64, DatabaseError> {
    let mut deleted = 0;
    while !stop.is_cancelled() {
        let batch = match old {
            Old::Lists(time) => recorded_lists::delete_before(database, time, BATCH).await?,
            Old::Events(time) => list_events::delete_before(database, time, BATCH).await?,
        };
        deleted += batch;
        if batch < BATCH.unsigned_abs() || stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
            break;
        }
    }
    Ok(deleted)
}

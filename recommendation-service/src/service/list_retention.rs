//! Deletes what was recorded too long ago, a little at a time, so that nothing else waits for it. Every replica does it; each
//! leaves alone what another one is deleting.

use std::time::Duration;

use chrono::{Days, Utc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    database::postgres::{Database, DatabaseError},
    repository,
};

/// Pause between two looks for old lists.
const INTERVAL: Duration = Duration::from_secs(3600);
/// Lists deleted by one statement.
const BATCH: i64 = 500;
/// Pause between two statements.
const PAUSE: Duration = Duration::from_millis(100);

/// Deletes lists that are older than `days`, at once and then every hour, until `stop`.
pub async fn delete_periodically(database: Database, days: u16, stop: CancellationToken) {
    loop {
        // What failed was logged, and is tried again.
        if let Ok(lists @ 1..) = delete_old(&database, days, &stop).await {
            tracing::info!(lists, days, "old lists deleted");
        }
        if stop.run_until_cancelled(sleep(INTERVAL)).await.is_none() {
            return;
        }
    }
}

/// Deletes lists that are older than `days`, and says how many; ends early when `stop` is cancelled.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn delete_old(database: &Database, days: u16, stop: &CancellationToken) -> Result<u64, DatabaseError> {
    let time = Utc::now() - Days::new(days.into());
    let mut deleted = 0;
    // A statement that is under way is not cut off.
    while !stop.is_cancelled() {
        let batch = repository::recorded_lists::delete_before(database, time, BATCH).await?;
        deleted += batch;
        if batch < BATCH.unsigned_abs() || stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
            break;
        }
    }
    Ok(deleted)
}

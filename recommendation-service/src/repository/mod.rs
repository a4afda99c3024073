//! SQL and Redis keys. Nothing here knows about HTTP.

pub mod recommendation_cache;
pub mod rules;
pub mod snapshots;

use std::time::Duration;

use crate::database::postgres::within;

/// Longest wait for one statement: above the usual `DB_STATEMENT_TIMEOUT_MS`, so that a slow server gives up first, and
/// only one that has gone silent is given up from here.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(6);

/// Runs one statement on a connection that is there already; waiting for one has a limit of its own.
async fn with_timeout<T>(statement: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    within(STATEMENT_TIMEOUT, statement).await
}

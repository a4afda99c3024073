//! What tests need: an app of their own, stand-ins for its peers, and a way to break connections.

mod app;
mod peers;
mod proxy;

use std::time::{Duration, Instant};

pub use app::{TestApp, TestResponse, database, settings};
pub use peers::{Catalogue, PeerBehaviour, Peers, Profile, days_ago};
pub use proxy::{Proxy, Traffic};
use sqlx::PgPool;

/// Waits until `condition` holds, at most twenty seconds.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < give_up, "this did not come true in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many statements in this test's database wait for a lock.
pub async fn lock_waiters(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(pool)
    .await
    .expect("PostgreSQL answers")
}

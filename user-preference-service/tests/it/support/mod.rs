//! Helpers: the service in process, as a process of its own, and links to its servers that can be cut.

mod app;
mod client;
mod process;
mod proxy;

pub use app::{TestApp, TestResponse, redis_address, settings_for};
pub use client::{Connection, exchange};
pub use process::{Process, command};
pub use proxy::{Proxy, Traffic};

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep};

/// Asks again and again until the answer is yes; fails after ten seconds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(10);
    while !holds().await {
        assert!(Instant::now() < give_up, "did not happen in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Statements in this test's database that wait for a lock.
pub async fn waiting(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// `text` with each time replaced by `[time]`, so that the rest can be compared.
pub fn without_times(text: &str) -> String {
    let mut parts = text.split("_at\":\"");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (time, rest) = part.split_once('"').expect("a time is a JSON string");
        assert!(time.ends_with('Z') && time.parse::<chrono::DateTime<chrono::Utc>>().is_ok(), "{time}");
        masked += &format!("_at\":\"[time]\"{rest}");
    }
    masked
}

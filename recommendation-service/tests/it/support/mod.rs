//! What tests need: an app of their own, stand-ins for its peers, and a way to break connections.

mod app;
mod peers;
mod proxy;

use std::time::{Duration, Instant};

pub use app::{TestApp, settings};
pub use peers::{Catalogue, Mode, Peers, Profile, days_ago};
pub use proxy::{Proxy, Traffic};

/// Waits until `condition` holds, at most ten seconds.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(Instant::now() < give_up, "this did not come true in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! The end of a process: `lifecycle.rs`, of which every service has the same copy.

use std::time::Duration;

use api_gateway::lifecycle::{Lifecycle, deadline};
use tokio::time::Instant;

#[tokio::test]
async fn work_goes_on_when_its_caller_is_dropped() {
    let lifecycle = Lifecycle::new();
    let (done, finished) = tokio::sync::oneshot::channel();
    let call = lifecycle.run_to_completion(async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let _ = done.send(());
    });
    assert!(tokio::time::timeout(Duration::from_millis(1), call).await.is_err());
    finished.await.expect("the work ended although nobody waited for it");
}

#[tokio::test]
async fn drain_gives_up_at_its_deadline() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn(std::future::pending());
    assert!(!lifecycle.drain(deadline(Duration::from_millis(10))).await);
}

#[tokio::test]
async fn the_steps_of_a_shutdown_share_one_time_limit() {
    let lifecycle = Lifecycle::new();
    lifecycle.stop();
    let first = lifecycle.deadline(Duration::from_secs(60));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(lifecycle.deadline(Duration::from_secs(60)), first);
    assert!(lifecycle.deadline(Duration::ZERO) > Instant::now(), "a moment is left to every step");
}

#[tokio::test]
async fn drain_tells_tasks_to_stop_and_waits_for_them() {
    let lifecycle = Lifecycle::new();
    let stop = lifecycle.stop_token();
    lifecycle.spawn(async move { stop.cancelled().await });
    assert!(lifecycle.drain(deadline(Duration::from_secs(5))).await);
}

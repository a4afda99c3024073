//! Identical in every service (a test compares the copies).
//!
//! From start to shutdown: the stop signal, and the background tasks that must end before the process does.

use std::{
    future::Future,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

/// Time in which the thread that writes the log gets the last lines out.
const LAST_LINES_TIME: Duration = Duration::from_millis(20);

/// What each step of a shutdown gets, however late it is.
const MIN_STEP_TIME: Duration = Duration::from_millis(500);

/// Tells every part of the process when to stop, and knows what still runs. Clones share the same state.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    stop: CancellationToken,
    stop_requested_at: Arc<OnceLock<Instant>>,
    tasks: TaskTracker,
    /// The task that waits for signals; aborted with the last clone.
    signals: Arc<Mutex<JoinSet<()>>>,
}

impl Lifecycle {
    /// A running process without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the process is asked to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Cancelled `delay` after [`Self::stop_token`]: time in which load balancers learn that the process is not ready.
    pub fn delayed_stop_token(&self, delay: Duration) -> CancellationToken {
        if delay.is_zero() {
            return self.stop_token();
        }
        let (stop, delayed) = (self.stop_token(), CancellationToken::new());
        let token = delayed.clone();
        self.spawn(async move {
            stop.cancelled().await;
            sleep(delay).await;
            delayed.cancel();
        });
        token
    }

    /// Asks everything to stop. Calling it again changes nothing.
    pub fn stop(&self) {
        request_stop(&self.stop, &self.stop_requested_at);
    }

    /// When a shutdown that may take `limit` must be over: counted from the moment it was requested, so that its steps
    /// share the time. Each step gets a moment, even if those before it have used it up.
    pub fn deadline(&self, limit: Duration) -> Instant {
        let requested_at = self.stop_requested_at.get().copied().unwrap_or_else(Instant::now);
        (requested_at + limit).max(deadline(MIN_STEP_TIME))
    }

    /// Stops on SIGTERM or SIGINT; a second one ends the process at once.
    ///
    /// # Errors
    /// When the operating system refuses a signal handler.
    pub fn stop_on_signals(&self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (stop, stop_requested_at) = (self.stop.clone(), self.stop_requested_at.clone());
        // Not among the tasks to drain: it waits for a second signal as long as the process lives.
        self.signals.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            for is_first in [true, false] {
                let (name, number) = tokio::select! {
                    _ = terminate.recv() => ("SIGTERM", 15),
                    _ = interrupt.recv() => ("SIGINT", 2),
                };
                if is_first {
                    tracing::info!(signal = name, "stopping");
                    request_stop(&stop, &stop_requested_at);
                } else {
                    tracing::warn!(signal = name, "second signal: ending at once");
                    std::thread::sleep(LAST_LINES_TIME);
                    std::process::exit(128 + number);
                }
            }
        });
        Ok(())
    }

    /// Runs a task in the background until it ends; it should watch [`Self::stop_token`] when it can take long.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task.in_current_span());
    }

    /// Runs `work` in a task of its own and waits for it, so that a caller that goes away (a client that hangs up, a
    /// time limit) cannot cut it off half-way. A panic in it goes on in the caller.
    pub async fn run_to_completion<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        match self.tasks.spawn(work.in_current_span()).await {
            Ok(value) => value,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Nobody aborts these tasks but the runtime at its end, and with it the caller.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Waits for the background tasks, at most until `deadline`. Says whether all ended.
    pub async fn drain(&self, deadline: Instant) -> bool {
        self.stop();
        self.tasks.close();
        let left = self.tasks.len();
        tracing::info!(tasks = left, "waiting for background tasks");
        let drained = timeout_at(deadline, self.tasks.wait()).await.is_ok();
        if !drained {
            tracing::warn!(tasks = self.tasks.len(), "background tasks cut off at the deadline");
        }
        drained
    }
}

fn request_stop(stop: &CancellationToken, requested_at: &OnceLock<Instant>) {
    requested_at.get_or_init(Instant::now);
    stop.cancel();
}

/// The instant `limit` from now.
pub fn deadline(limit: Duration) -> Instant {
    Instant::now() + limit
}

//! A thread for each processor, each with a runtime of its own: a request stays on one of them from its first byte to
//! its last, which spares most of the synchronisation that a shared runtime needs.

use std::{io, thread::JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// One of the threads.
pub struct WorkerThread {
    runtime: Handle,
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

/// Starts a thread for each processor.
///
/// # Errors
/// When the operating system refuses.
pub fn start() -> io::Result<Vec<WorkerThread>> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (0..processors).map(WorkerThread::start).collect()
}

impl WorkerThread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, stop) = (runtime.handle().clone(), CancellationToken::new());
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            runtime.block_on(stopped.cancelled());
            // Dropping it would wait for the system to resolve a name.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, stop, thread })
    }

    /// The runtime that this thread drives.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Ends the thread; what still runs on it is dropped.
    pub fn stop(self) {
        self.stop.cancel();
        if self.thread.join().is_err() {
            tracing::error!("a worker thread panicked");
        }
    }
}

//! The thread that trains: off the threads that serve requests, and after them when there is too little processor time.

use std::{io, thread};

use tokio::sync::oneshot;

use crate::service::model::{
    ItemModel,
    control::TrainingControl,
    training::{self, Opinion, TrainingError, TrainingSettings},
};

/// Nice value of the thread: from 0 (as everybody) to 19 (after everybody).
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// The tags of a movie.
pub type TagsOf = Box<dyn Fn(i32) -> Vec<u32> + Send>;

/// Starts a training. The receiver fails when the thread has panicked.
///
/// # Errors
/// When the operating system gives no thread.
pub fn spawn(
    opinions: Vec<Opinion>,
    tags_of: TagsOf,
    settings: TrainingSettings,
    control: TrainingControl,
) -> io::Result<oneshot::Receiver<Result<ItemModel, TrainingError>>> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new().name("training".into()).spawn(move || {
        lower_priority();
        let result = training::train(&opinions, &*tags_of, &settings, &control);
        // Nobody waits any more when the service is stopping.
        let _ = sender.send(result);
    })?;
    Ok(receiver)
}

/// On Linux a thread has a priority of its own; elsewhere it keeps that of the process.
#[cfg(target_os = "linux")]
fn lower_priority() {
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS) {
        tracing::debug!(%error, "the training runs with the priority of requests");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

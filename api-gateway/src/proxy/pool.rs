//! Idle connections to one address of a service, kept by one worker.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use super::connection::Connection;

/// Connections idle for this long are closed: earlier than the services do it, which could meet the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(8);
/// Idle connections that are kept.
const MAX_IDLE: usize = 256;

/// Idle connections, the most recently used one at the back. Only one thread uses the lock, so it is always free.
#[derive(Default)]
pub struct Pool(Mutex<VecDeque<Box<Connection>>>);

impl Pool {
    /// The connection that was used last and is still open: the others may then reach their idle timeout.
    pub async fn take(&self) -> Option<Box<Connection>> {
        poll_fn(|context| {
            while let Some(mut connection) = self.lock().pop_back() {
                if connection.idle_time() < IDLE_TIMEOUT && connection.is_idle(context) {
                    return Poll::Ready(Some(connection));
                }
            }
            Poll::Ready(None)
        })
        .await
    }

    /// Keeps a connection for the next request.
    pub fn put(&self, mut connection: Box<Connection>) {
        connection.rest();
        let mut idle = self.lock();
        if idle.len() == MAX_IDLE {
            idle.pop_front();
        }
        idle.push_back(connection);
    }

    /// Drops the connections that have ended or were idle for too long.
    pub fn sweep(&self) {
        self.lock().retain_mut(|connection| connection.idle_time() < IDLE_TIMEOUT && connection.is_idle_now());
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Box<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

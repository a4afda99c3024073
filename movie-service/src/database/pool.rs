//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! The pool of connections to PostgreSQL. sqlx's own asks the server on every return of a connection whether it is well, which
//! costs more than many a statement; this one asks only when a connection was idle, or given back in the middle of its work.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolConfig, PoolError, QueueMode, RecycleError, RecycleResult,
};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tokio::{runtime::Handle, time::timeout};

use super::postgres::within;

/// Idle time after which a connection is tested before it is used again.
const IDLE_UNTIL_PING: Duration = Duration::from_secs(1);
/// Longest wait for the answer to that test: a silent connection is left behind in time for another one to be opened.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// Age at which a connection is replaced, so that the memory of its session does not grow for ever.
const MAX_AGE: Duration = Duration::from_secs(30 * 60);
/// Longest wait for unfinished work to end; a connection on which it takes longer is closed.
const RESET_TIMEOUT: Duration = Duration::from_secs(2);

/// A bounded number of connections. Clones share them.
#[derive(Debug, Clone)]
pub struct ConnectionPool {
    pool: Pool<Connector>,
    acquire_timeout: Duration,
}

/// Opens connections and tests them.
#[derive(Debug)]
struct Connector(PgConnectOptions);

impl Manager for Connector {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<PgConnection> {
        // Boxed: it is large, and every caller would be as large.
        Box::pin(self.0.connect()).await
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.age() > MAX_AGE {
            return Err(RecycleError::message("old enough to be replaced"));
        }
        if metrics.last_used() > IDLE_UNTIL_PING {
            within(PING_TIMEOUT, connection.ping()).await?;
        }
        Ok(())
    }
}

impl ConnectionPool {
    /// A pool that connects when it is first used.
    pub fn new(options: PgConnectOptions, max_connections: u32, acquire_timeout: Duration) -> Self {
        let mut config = PoolConfig::new(max_connections as usize);
        // The one used last: the others may grow idle.
        config.queue_mode = QueueMode::Lifo;
        let pool = Pool::builder(Connector(options)).config(config).build().expect("without time limits of its own");
        Self { pool, acquire_timeout }
    }

    /// How it connects.
    pub fn connect_options(&self) -> &PgConnectOptions {
        &self.pool.manager().0
    }

    /// A connection that nobody else uses; waits for it within the time limit.
    ///
    /// # Errors
    /// When the server cannot be reached, or every connection is in use.
    pub async fn acquire(&self) -> sqlx::Result<PooledConnection> {
        match timeout(self.acquire_timeout, self.pool.get()).await {
            Ok(Ok(connection)) => Ok(PooledConnection(Some(connection))),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(PoolError::Closed)) => Err(sqlx::Error::PoolClosed),
            Ok(Err(_)) | Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// Closes the idle connections at once, and those in use when they are given back.
    pub fn close(&self) {
        self.pool.close();
    }

    /// How many connections there are, idle or in use.
    pub fn size(&self) -> usize {
        self.pool.status().size
    }

    /// How many of them are idle.
    pub fn idle(&self) -> usize {
        self.pool.status().available
    }

    /// How many there may be.
    pub fn max_size(&self) -> usize {
        self.pool.status().max_size
    }
}

/// A connection taken from the pool. Dropped in the middle of its work it is reset before anyone else gets it.
#[derive(Debug)]
pub struct PooledConnection(Option<Object<Connector>>);

impl PooledConnection {
    /// Gives the connection back: its work is done.
    pub fn release(mut self) {
        // A transaction that was dropped has its ROLLBACK waiting, to be sent by the next statement.
        if !self.should_flush() {
            drop(self.0.take());
        }
    }

    /// Closes the connection: nobody may wait for what is under way on it.
    pub fn close(mut self) {
        drop(self.0.take().map(Object::take));
    }
}

impl Deref for PooledConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("there until it is given back")
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("there until it is given back")
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        let (Some(connection), Ok(runtime)) = (self.0.take(), Handle::try_current()) else { return };
        runtime.spawn(reset(connection));
    }
}

/// Ends what is under way. A request that is dropped while BEGIN is under way leaves its session inside a transaction, and
/// the next one's write would never be committed (transact-rs/sqlx #4385). BEGIN comes first, since a lone ROLLBACK outside
/// a transaction is a warning in the server's log; inside a failed one BEGIN is an error, and the connection is closed.
async fn reset(mut connection: Object<Connector>) {
    if within(RESET_TIMEOUT, connection.execute("BEGIN; ROLLBACK")).await.is_err() {
        drop(Object::take(connection));
    }
}

//! Work that only one replica at a time may do.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::sleep;

use crate::database::postgres::{Database, DatabaseError, within};

/// Keys of advisory locks, fixed for ever.
#[derive(Debug, Clone, Copy)]
pub enum LockKey {
    /// A sync of the catalogue.
    Sync = 0x6d6f_7601,
    /// Fetching runtimes.
    Runtimes = 0x6d6f_7602,
}

/// How often to look whether a session that was ended is gone, and the pause between two looks.
const ENDING_ATTEMPTS: u32 = 50;
const ENDING_PAUSE: Duration = Duration::from_millis(20);

/// A lock over all replicas, held on a connection outside the pool, which may be as small as one connection. When it is
/// dropped without [`Self::release`], or the process dies, PostgreSQL gives it back with the connection.
pub struct ReplicaLock {
    database: Database,
    connection: PgConnection,
    session: String,
    key: LockKey,
}

impl ReplicaLock {
    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn try_take(database: &Database, key: LockKey) -> Result<Option<Self>, DatabaseError> {
        let session = format!("movie-service-lock-{:032x}", rand::random::<u128>());
        let mut connection = connect(database, &session).await.map_err(log)?;
        let query = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "is_taken!""#, key as i64);
        match within(database.query_timeout(), query.fetch_one(&mut connection)).await {
            Ok(true) => Ok(Some(Self { database: database.clone(), connection, session, key })),
            Ok(false) => {
                let _ = within(database.acquire_timeout(), connection.close()).await;
                Ok(None)
            }
            Err(error) => {
                // The lock may be taken although the answer did not arrive.
                end_session(database, &session).await;
                Err(log(error))
            }
        }
    }

    /// Whether it is still held. PostgreSQL gives it back when the connection breaks, and only a request
    /// to the server shows it.
    pub async fn is_held(&mut self) -> bool {
        within(self.database.acquire_timeout(), self.connection.ping()).await.is_ok()
    }

    /// Ends the session of a lock whose connection has broken.
    pub async fn abandon(self) {
        end_session(&self.database, &self.session).await;
    }

    /// Gives the lock back at once.
    pub async fn release(mut self) {
        let query = sqlx::query_scalar!("SELECT pg_advisory_unlock($1)", self.key as i64);
        if within(self.database.query_timeout(), query.fetch_one(&mut self.connection)).await.is_ok() {
            let _ = within(self.database.acquire_timeout(), self.connection.close()).await;
        } else {
            end_session(&self.database, &self.session).await;
        }
    }
}

async fn connect(database: &Database, session: &str) -> sqlx::Result<PgConnection> {
    let options = database.pool().connect_options().clone().application_name(session);
    // Boxed: it is large, and every caller would be as large.
    within(database.acquire_timeout(), Box::pin(options.connect())).await
}

/// Ends a session that this side cannot reach any more. PostgreSQL may not know for hours that its client is gone, and
/// the lock would be held all the while.
async fn end_session(database: &Database, session: &str) {
    let ending = async {
        let mut connection = connect(database, "movie-service-unlock").await?;
        for _ in 0..ENDING_ATTEMPTS {
            let found = sqlx::query_scalar!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = $1 AND usename = current_user",
                session
            )
            .fetch_all(&mut connection)
            .await?;
            if found.is_empty() {
                break;
            }
            sleep(ENDING_PAUSE).await;
        }
        connection.close().await
    };
    if let Err(error) = within(database.query_timeout(), ending).await {
        DatabaseError::from_write(error).log("end the session of a lock");
    }
}

fn log(error: sqlx::Error) -> DatabaseError {
    let error = DatabaseError::from_read(error);
    error.log("take a lock");
    error
}

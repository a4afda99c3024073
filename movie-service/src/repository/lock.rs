//! Work that only one replica at a time may do.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::time::sleep;

use crate::database::postgres::within;

use super::{limits, log_failure};

/// What is guarded. The numbers are keys of advisory locks, fixed for ever.
#[derive(Debug, Clone, Copy)]
pub enum Guarded {
    /// A sync of the catalogue.
    Sync = 0x6d6f_7601,
    /// Fetching runtimes.
    Runtimes = 0x6d6f_7602,
}

/// Questions whether a session that was ended is gone, and the pause between them.
const ENDING_ATTEMPTS: u32 = 50;
const ENDING_PAUSE: Duration = Duration::from_millis(20);

/// A lock over all replicas, held on a connection outside the pool, which may be as small as one connection. When it is
/// dropped without [`Self::release`], or the process dies, PostgreSQL gives it back with the connection.
pub struct ReplicaLock {
    pool: PgPool,
    connection: PgConnection,
    session: String,
    guarded: Guarded,
}

impl ReplicaLock {
    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn try_take(pool: &PgPool, guarded: Guarded) -> sqlx::Result<Option<Self>> {
        let session = format!("movie-service-lock-{:032x}", rand::random::<u128>());
        let mut connection = connect(pool, &session).await?;
        let taking =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(guarded as i64).fetch_one(&mut connection);
        match limits::one_statement(pool, taking).await {
            Ok(true) => Ok(Some(Self { pool: pool.clone(), connection, session, guarded })),
            Ok(false) => {
                let _ = within(limits::connection(pool), connection.close()).await;
                Ok(None)
            }
            Err(error) => {
                // The lock may be taken although the answer did not arrive.
                end_session(pool, &session).await;
                Err(error)
            }
        }
    }

    /// Whether it is still held. PostgreSQL gives it back when the connection breaks, and on this side only a question
    /// finds out.
    pub async fn is_held(&mut self) -> bool {
        within(limits::connection(&self.pool), self.connection.ping()).await.is_ok()
    }

    /// Ends the session of a lock whose connection has broken.
    pub async fn abandon(self) {
        end_session(&self.pool, &self.session).await;
    }

    /// Gives the lock back at once.
    pub async fn release(mut self) {
        let releasing =
            sqlx::query("SELECT pg_advisory_unlock($1)").bind(self.guarded as i64).execute(&mut self.connection);
        if limits::one_statement(&self.pool, releasing).await.is_ok() {
            let _ = within(limits::connection(&self.pool), self.connection.close()).await;
        } else {
            end_session(&self.pool, &self.session).await;
        }
    }
}

async fn connect(pool: &PgPool, session: &str) -> sqlx::Result<PgConnection> {
    let options = (*pool.connect_options()).clone().application_name(session);
    // Boxed: it is large, and every caller would be as large.
    within(limits::connection(pool), Box::pin(options.connect())).await
}

/// Ends a session that this side cannot reach any more. PostgreSQL may not know for hours that its client is gone, and
/// the lock would be held all the while.
async fn end_session(pool: &PgPool, session: &str) {
    let ending = async {
        let mut connection = connect(pool, "movie-service-unlock").await?;
        for _ in 0..ENDING_ATTEMPTS {
            let found = sqlx::query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = $1 AND usename = current_user",
            )
            .bind(session)
            .execute(&mut connection)
            .await?;
            if found.rows_affected() == 0 {
                break;
            }
            sleep(ENDING_PAUSE).await;
        }
        connection.close().await
    };
    if let Err(error) = limits::one_statement(pool, ending).await {
        log_failure(&error, "end the session of a lock");
    }
}

//! Work that only one replica at a time may do.

use sqlx::{PgPool, Postgres, pool::PoolConnection};

/// What is guarded. The numbers are keys of advisory locks, fixed for ever.
#[derive(Debug, Clone, Copy)]
pub enum Guarded {
    /// A sync of the catalogue.
    Sync = 0x6d6f_7601,
    /// Fetching runtimes.
    Runtimes = 0x6d6f_7602,
}

/// A lock over all replicas, held on a connection of its own. When it is dropped without [`Self::release`], or the
/// process dies, PostgreSQL gives it back with the connection.
pub struct ReplicaLock {
    connection: PoolConnection<Postgres>,
    guarded: Guarded,
}

impl ReplicaLock {
    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn try_take(pool: &PgPool, guarded: Guarded) -> sqlx::Result<Option<Self>> {
        let mut connection = pool.acquire().await?;
        let taken = sqlx::query_scalar::<_, bool>("SELECT pg_try_advisory_lock($1)")
            .bind(guarded as i64)
            .fetch_one(&mut *connection)
            .await?;
        if !taken {
            return Ok(None);
        }
        connection.close_on_drop();
        Ok(Some(Self { connection, guarded }))
    }

    /// Gives the lock back at once.
    pub async fn release(mut self) {
        // If this fails the connection is gone, and the lock with it.
        let _ =
            sqlx::query("SELECT pg_advisory_unlock($1)").bind(self.guarded as i64).execute(&mut *self.connection).await;
    }
}

//! The table `leases`: work that one replica does at a time.

use std::time::Duration;

use crate::database::postgres::{Database, DatabaseError};

/// Takes or extends the lease `name` for `holder`. Says whether the holder has it now.
///
/// # Errors
/// [`DatabaseError`] when the database does not work; whoever has held the lease must take it as lost.
pub async fn acquire(database: &Database, name: &str, holder: &str, duration: Duration) -> Result<bool, DatabaseError> {
    let statement = sqlx::query!(
        "INSERT INTO leases AS held (name, holder, expires_at)
         VALUES ($1, $2, now() + $3 * interval '1 second')
         ON CONFLICT (name) DO UPDATE
         SET holder = excluded.holder, expires_at = excluded.expires_at
         WHERE held.holder = excluded.holder OR held.expires_at < now()",
        name,
        holder,
        duration.as_secs_f64()
    );
    let done = database.write("acquire a lease", async |connection| statement.execute(connection).await).await?;
    Ok(done.rows_affected() == 1)
}

/// Gives the lease back, if `holder` has it.
///
/// # Errors
/// [`DatabaseError`] when the database does not work; the lease then ends by itself.
pub async fn release(database: &Database, name: &str, holder: &str) -> Result<(), DatabaseError> {
    let statement = sqlx::query!("DELETE FROM leases WHERE name = $1 AND holder = $2", name, holder);
    database.write("release a lease", async |connection| statement.execute(connection).await).await?;
    Ok(())
}

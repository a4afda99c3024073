//! The table `user_interactions` in the order of its transactions.

use sqlx::Connection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::feed::{FeedEntry, Position},
};

/// What can be read of the feed at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Whose feed it is.
    pub epoch: String,
    /// The oldest transaction that may still add something: what is below it is settled.
    pub end: u64,
}

/// What can be read now.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn extent(database: &Database) -> Result<Extent, DatabaseError> {
    let statement = sqlx::query!(
        r#"SELECT feed_epoch::text AS "epoch!", pg_snapshot_xmin(pg_current_snapshot())::text AS "end!"
           FROM database_epoch"#
    );
    let row =
        database.read("find the end of the feed", async |connection| statement.fetch_one(connection).await).await?;
    Ok(Extent { epoch: row.epoch, end: number(&row.end) })
}

/// The next interactions behind a position and before the transaction `end`, at most `limit`.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn page(
    database: &Database,
    after: Position,
    end: u64,
    limit: usize,
) -> Result<Vec<FeedEntry>, DatabaseError> {
    let statement = sqlx::query!(
        r#"SELECT transaction_id::text AS "transaction_id!", id, user_id, movie_id, interaction_type, value,
                  COALESCE(occurred_at, created_at) AS "occurred_at!", recommendation_id
           FROM user_interactions
           WHERE (transaction_id, id) > ($1::text::xid8, $2) AND transaction_id < $3::text::xid8
           ORDER BY user_interactions.transaction_id, id
           LIMIT $4"#,
        after.transaction.to_string(),
        after.id,
        end.to_string(),
        limit as i64
    );
    let rows = database.read("read the feed", async |connection| statement.fetch_all(connection).await).await?;
    let entries = rows.into_iter().map(|row| FeedEntry {
        position: Position { transaction: number(&row.transaction_id), id: row.id },
        user_id: row.user_id,
        movie_id: row.movie_id,
        kind: row.interaction_type,
        value: row.value,
        occurred_at: row.occurred_at,
        recommendation_id: row.recommendation_id,
    });
    Ok(entries.collect())
}

/// A transaction's number, which PostgreSQL gives as text: no type of sqlx holds it.
fn number(text: &str) -> u64 {
    text.parse().expect("an xid8 is an unsigned number of 64 bits")
}

/// Gives new places to interactions that a backup has brought from a server whose transactions are ahead of this one's: they
/// would come after all that is recorded here, and be read only when this server's have caught up. Says how many there were.
///
/// # Errors
/// When the database does not work.
pub async fn adopt_restored(database: &Database) -> sqlx::Result<u64> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM user_interactions WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
           ) AS "found!""#
    );
    let mut connection = database.pool().acquire().await?;
    if !found.fetch_one(&mut *connection).await? {
        connection.release();
        return Ok(0);
    }
    let mut transaction = connection.begin().await?;
    // As long as the table is, and no request waits for it.
    sqlx::query("SELECT set_config('statement_timeout', '0', true)").execute(&mut *transaction).await?;
    let adopted = sqlx::query!(
        "UPDATE user_interactions SET transaction_id = pg_current_xact_id()
         WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot())"
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    connection.release();
    Ok(adopted.rows_affected())
}

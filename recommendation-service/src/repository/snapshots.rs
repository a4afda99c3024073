//! The table `user_recommendation_snapshots`.

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use crate::{
    database::postgres::{Database, DatabaseError},
    models::snapshot::Snapshot,
};

/// Leaves exactly the given lists for their users, unless a newer one is stored. At most one list a user.
///
/// To be called in a task that nobody cuts off, since it opens a transaction.
///
/// # Errors
/// [`DatabaseError`] when the database does not work, or does not confirm it. Doing it again does no harm.
pub async fn store(database: &Database, snapshots: &[Snapshot]) -> Result<(), DatabaseError> {
    let work = async |connection: &mut PgConnection| {
        let mut transaction = connection.begin().await?;
        replace(&mut transaction, snapshots).await?;
        transaction.commit().await
    };
    database.write("store snapshots", work).await
}

/// The same inside a transaction.
pub(super) async fn replace(transaction: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
    if snapshots.is_empty() {
        return Ok(());
    }
    lock_users(transaction, snapshots).await?;
    replace_lists(transaction, snapshots).await
}

/// Locks the users until the transaction ends, so that each has one writer. The order of ids prevents deadlocks. It is a
/// statement of its own because a statement does not see what was committed while it waited: [`replace_lists`] must
/// begin with the locks held.
async fn lock_users(connection: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
    let users: Vec<i64> = snapshots.iter().map(|snapshot| snapshot.user.get()).collect();
    let statement = sqlx::query!(
        "SELECT pg_advisory_xact_lock(user_id)
         FROM (SELECT user_id FROM UNNEST($1::bigint[]) AS input (user_id) ORDER BY user_id) AS ordered",
        &users
    );
    statement.execute(connection).await?;
    Ok(())
}

/// Replaces lists in one statement, so that readers see a user's old list or the new one:
/// - a user whose stored list is newer is skipped;
/// - for the others, movies that are not in the new list are deleted, those in it are upserted.
async fn replace_lists(connection: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
    let (users, times): (Vec<i64>, Vec<DateTime<Utc>>) =
        snapshots.iter().map(|snapshot| (snapshot.user.get(), snapshot.generated_at)).unzip();
    let mut list: (Vec<i64>, Vec<i32>, Vec<f64>) = Default::default();
    for snapshot in snapshots {
        list.extend(snapshot.movies.iter().map(|(movie, score)| (snapshot.user.get(), *movie, *score)));
    }
    let statement = sqlx::query!(
        "WITH input AS (
             SELECT * FROM UNNEST($1::bigint[], $2::timestamptz[]) AS input (user_id, generated_at)
         ), list AS (
             SELECT * FROM UNNEST($3::bigint[], $4::integer[], $5::double precision[]) AS list (user_id, movie_id, score)
         ), accepted AS (
             SELECT input.user_id, input.generated_at
             FROM input
             WHERE NOT EXISTS (SELECT FROM user_recommendation_snapshots stored
                               WHERE stored.user_id = input.user_id AND stored.generated_at > input.generated_at)
         ), deleted AS (
             DELETE FROM user_recommendation_snapshots stored
             USING accepted
             WHERE stored.user_id = accepted.user_id
               AND stored.generated_at <= accepted.generated_at
               AND NOT EXISTS (SELECT FROM list
                               WHERE list.user_id = stored.user_id AND list.movie_id = stored.movie_id)
         )
         INSERT INTO user_recommendation_snapshots AS stored (user_id, movie_id, score, generated_at)
         SELECT user_id, movie_id, score, generated_at
         FROM list JOIN accepted USING (user_id)
         ORDER BY user_id, movie_id
         ON CONFLICT (user_id, movie_id) DO UPDATE
         SET score = excluded.score, generated_at = excluded.generated_at
         WHERE stored.generated_at <= excluded.generated_at",
        &users,
        &times,
        &list.0,
        &list.1,
        &list.2
    );
    statement.execute(connection).await?;
    Ok(())
}

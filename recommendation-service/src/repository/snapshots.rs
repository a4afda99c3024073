//! The table `user_recommendation_snapshots`.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::models::snapshot::Snapshot;

/// One statement, so that readers see a user's old list or the new one and nothing between:
/// - a user whose stored list is newer than the one given is left alone;
/// - of the others, movies that are not in the new list go, those in it are inserted or updated. A row is either
///   deleted or upserted, never both, which one statement could not do.
///
/// Rows come sorted by the key, so that two replicas lock them in the same order.
const STORE: &str = "
    WITH given AS (
        SELECT * FROM UNNEST($1::bigint[], $2::timestamptz[]) AS given (user_id, generated_at)
    ), list AS (
        SELECT * FROM UNNEST($3::bigint[], $4::integer[], $5::double precision[]) AS list (user_id, movie_id, score)
    ), due AS (
        SELECT given.user_id, given.generated_at
          FROM given
         WHERE NOT EXISTS (SELECT FROM user_recommendation_snapshots stored
                            WHERE stored.user_id = given.user_id AND stored.generated_at > given.generated_at)
    ), gone AS (
        DELETE FROM user_recommendation_snapshots stored
         USING due
         WHERE stored.user_id = due.user_id
           AND NOT EXISTS (SELECT FROM list
                            WHERE list.user_id = stored.user_id AND list.movie_id = stored.movie_id)
    )
    INSERT INTO user_recommendation_snapshots AS stored (user_id, movie_id, score, generated_at)
    SELECT user_id, movie_id, score, generated_at
      FROM list JOIN due USING (user_id)
     ORDER BY user_id, movie_id
        ON CONFLICT (user_id, movie_id) DO UPDATE
       SET score = excluded.score, generated_at = excluded.generated_at
     WHERE stored.generated_at <= excluded.generated_at";

/// Leaves exactly the given lists for their users, unless a newer one is stored. At most one list a user.
///
/// # Errors
/// When PostgreSQL cannot do it; then nothing was changed.
pub async fn store(pool: &PgPool, snapshots: &[Snapshot]) -> sqlx::Result<()> {
    let (users, times): (Vec<i64>, Vec<DateTime<Utc>>) =
        snapshots.iter().map(|snapshot| (snapshot.user.get(), snapshot.generated_at)).unzip();
    let mut list = (Vec::new(), Vec::new(), Vec::new());
    for snapshot in snapshots {
        list.extend(snapshot.movies.iter().map(|(movie, score)| (snapshot.user.get(), *movie, *score)));
    }
    sqlx::query(STORE).bind(users).bind(times).bind(list.0).bind(list.1).bind(list.2).execute(pool).await?;
    Ok(())
}

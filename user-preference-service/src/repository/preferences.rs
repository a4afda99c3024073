//! The table `user_preferences`.

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        id::UserId,
        preferences::{NewPreferences, Preferences},
    },
};

/// Preferences belong to a user who exists.
pub const USER_KEY: &str = "user_preferences_user_id_fkey";

/// Stores all three preferences in place of what was there.
///
/// # Errors
/// [`DatabaseError::Constraint`] with [`USER_KEY`] when there is no such user.
pub async fn upsert(database: &Database, user: UserId, new: &NewPreferences) -> Result<Preferences, DatabaseError> {
    // clock_timestamp(), not now(): a change that waited for another one must not look older than it.
    let statement = sqlx::query_as!(
        Preferences,
        "INSERT INTO user_preferences AS p (user_id, preferred_genres, preferred_language, min_rating)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET
             preferred_genres = excluded.preferred_genres,
             preferred_language = excluded.preferred_language,
             min_rating = excluded.min_rating,
             revision = p.revision + 1,
             updated_at = clock_timestamp()
         RETURNING id, user_id, preferred_genres, preferred_language, min_rating, revision, updated_at",
        user.get(),
        new.genres.as_slice(),
        new.language.as_str(),
        new.min_rating.get()
    );
    database.write("set preferences", async |connection| statement.fetch_one(connection).await).await
}

/// The preferences of a user, compared with those that the caller has.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// There is no such user.
    NoUser,
    /// They have the revision that the caller has.
    Unchanged,
    /// They have another one. The defaults for a user who set none.
    Changed(Preferences),
}

/// The preferences of some users, each with the revision that the caller has of them. Gives as many in the same order.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn find_many(database: &Database, lookups: &[(UserId, Option<i64>)]) -> Result<Vec<Found>, DatabaseError> {
    let users: Vec<i64> = lookups.iter().map(|(user, _)| user.get()).collect();
    // No revision is negative.
    let revisions: Vec<i64> = lookups.iter().map(|(_, revision)| revision.unwrap_or(-1)).collect();
    let statement = sqlx::query!(
        r#"SELECT wanted.index AS "index!", COALESCE(p.revision, 0) AS "revision!", p.id AS "id?",
                  CASE WHEN p.revision <> wanted.revision THEN p.preferred_genres END AS preferred_genres,
                  p.preferred_language AS "preferred_language?", p.min_rating AS "min_rating?",
                  p.updated_at AS "updated_at?"
           FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS wanted (user_id, revision, index)
           JOIN users u ON u.id = wanted.user_id
           LEFT JOIN user_preferences p ON p.user_id = u.id"#,
        &users,
        &revisions
    );
    let rows = database.read("find preferences", async |connection| statement.fetch_all(connection).await).await?;
    let mut found = vec![Found::NoUser; lookups.len()];
    for row in rows {
        let index = row.index as usize - 1;
        let (user, known) = lookups[index];
        let unset = Preferences::unset(user);
        found[index] = match known == Some(row.revision) {
            true => Found::Unchanged,
            false => Found::Changed(Preferences {
                id: row.id.unwrap_or(unset.id),
                user_id: user.get(),
                preferred_genres: row.preferred_genres.unwrap_or(unset.preferred_genres),
                preferred_language: row.preferred_language.unwrap_or(unset.preferred_language),
                min_rating: row.min_rating.unwrap_or(unset.min_rating),
                revision: row.revision,
                updated_at: row.updated_at.unwrap_or(unset.updated_at),
            }),
        };
    }
    Ok(found)
}

//! What recommendations need to know of a user, from all three tables in one statement.

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{id::UserId, preferences::Preferences, profile::Profile},
};

/// The profile of a user; `None` when there is no such user.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn find(database: &Database, user: UserId) -> Result<Option<Profile>, DatabaseError> {
    let statement = sqlx::query!(
        r#"SELECT p.preferred_genres AS "preferred_genres?", p.preferred_language AS "preferred_language?",
                  p.min_rating AS "min_rating?",
                  ARRAY(SELECT DISTINCT movie_id
                        FROM user_interactions
                        WHERE user_id = u.id AND interaction_type IN ('watched', 'dislike')
                        ORDER BY movie_id) AS "seen_movie_ids!"
           FROM users u LEFT JOIN user_preferences p ON p.user_id = u.id
           WHERE u.id = $1"#,
        user.get()
    );
    let row = database.read("find a profile", async |connection| statement.fetch_optional(connection).await).await?;
    Ok(row.map(|row| {
        let unset = Preferences::unset(user);
        Profile {
            user_id: user.get(),
            preferred_genres: row.preferred_genres.unwrap_or(unset.preferred_genres),
            preferred_language: row.preferred_language.unwrap_or(unset.preferred_language),
            min_rating: row.min_rating.unwrap_or(unset.min_rating),
            seen_movie_ids: row.seen_movie_ids,
        }
    }))
}

//! What recommendations need to know of a user, from all three tables in one statement.

use sqlx::FromRow;

use super::store::{Store, StoreError};
use crate::models::{id::UserId, preferences::Preferences, profile::Profile};

#[derive(FromRow)]
struct Row {
    preferred_genres: Option<Vec<String>>,
    preferred_language: Option<String>,
    min_rating: Option<f64>,
    seen_movie_ids: Vec<i32>,
}

/// The profile of a user; `None` when there is no such user.
///
/// # Errors
/// [`StoreError`] when the database does not work.
pub async fn find(store: &Store, user: UserId) -> Result<Option<Profile>, StoreError> {
    let statement = sqlx::query_as::<_, Row>(
        "SELECT p.preferred_genres, p.preferred_language, p.min_rating,
                ARRAY(SELECT DISTINCT movie_id
                      FROM user_interactions
                      WHERE user_id = u.id AND interaction_type IN ('watched', 'dislike')
                      ORDER BY movie_id) AS seen_movie_ids
         FROM users u LEFT JOIN user_preferences p ON p.user_id = u.id
         WHERE u.id = $1",
    );
    let row = store.optional(statement.bind(user.get())).await?;
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

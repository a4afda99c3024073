//! The table `user_preferences`.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::store::{Store, StoreError};
use crate::models::{
    id::UserId,
    preferences::{NewPreferences, Preferences},
};

/// Preferences belong to a user who exists.
pub const USER_KEY: &str = "user_preferences_user_id_fkey";

#[derive(FromRow)]
struct Row {
    id: i64,
    user_id: i64,
    preferred_genres: Vec<String>,
    preferred_language: String,
    min_rating: f64,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Preferences {
    fn from(row: Row) -> Self {
        let Row { id, user_id, preferred_genres, preferred_language, min_rating, updated_at } = row;
        Self { id, user_id, preferred_genres, preferred_language, min_rating, updated_at }
    }
}

/// Stores all three preferences in place of what was there.
///
/// # Errors
/// [`StoreError::Constraint`] with [`USER_KEY`] when there is no such user.
pub async fn upsert(store: &Store, user: UserId, new: &NewPreferences) -> Result<Preferences, StoreError> {
    // clock_timestamp(), not now(): a change that waited for another one must not look older than it.
    let statement = sqlx::query_as::<_, Row>(
        "INSERT INTO user_preferences AS p (user_id, preferred_genres, preferred_language, min_rating)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET
             preferred_genres = excluded.preferred_genres,
             preferred_language = excluded.preferred_language,
             min_rating = excluded.min_rating,
             revision = p.revision + 1,
             updated_at = clock_timestamp()
         RETURNING id, user_id, preferred_genres, preferred_language, min_rating, updated_at",
    );
    let statement = statement.bind(user.get()).bind(new.genres()).bind(new.language()).bind(new.min_rating());
    store.one(statement).await.map(Preferences::from)
}

/// Of a left join: all `NULL` when the user set none.
#[derive(FromRow)]
struct MaybeRow {
    id: Option<i64>,
    preferred_genres: Option<Vec<String>>,
    preferred_language: Option<String>,
    min_rating: Option<f64>,
    updated_at: Option<DateTime<Utc>>,
}

impl MaybeRow {
    fn or_unset(self, user: UserId) -> Preferences {
        let unset = Preferences::unset(user);
        Preferences {
            id: self.id.unwrap_or(unset.id),
            user_id: user.get(),
            preferred_genres: self.preferred_genres.unwrap_or(unset.preferred_genres),
            preferred_language: self.preferred_language.unwrap_or(unset.preferred_language),
            min_rating: self.min_rating.unwrap_or(unset.min_rating),
            updated_at: self.updated_at.unwrap_or(unset.updated_at),
        }
    }
}

/// The preferences of a user, or the defaults of one who set none; `None` when there is no such user.
///
/// # Errors
/// [`StoreError`] when the database does not work.
pub async fn find(store: &Store, user: UserId) -> Result<Option<Preferences>, StoreError> {
    let statement = sqlx::query_as::<_, MaybeRow>(
        "SELECT p.id, p.preferred_genres, p.preferred_language, p.min_rating, p.updated_at
         FROM users u LEFT JOIN user_preferences p ON p.user_id = u.id
         WHERE u.id = $1",
    );
    let row = store.optional(statement.bind(user.get())).await?;
    Ok(row.map(|row| row.or_unset(user)))
}

//! The table `user_interactions`.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::store::{Store, StoreError};
use crate::models::{
    id::UserId,
    interaction::{Interaction, ListLimit, NewInteraction},
};

/// An interaction belongs to a user who exists.
pub const USER_KEY: &str = "user_interactions_user_id_fkey";

#[derive(FromRow)]
struct Row {
    id: i64,
    user_id: i64,
    movie_id: i32,
    interaction_type: String,
    created_at: DateTime<Utc>,
}

impl From<Row> for Interaction {
    fn from(Row { id, user_id, movie_id, interaction_type, created_at }: Row) -> Self {
        Self { id, user_id, movie_id, interaction_type, created_at }
    }
}

/// Stores an interaction.
///
/// # Errors
/// [`StoreError::Constraint`] with [`USER_KEY`] when there is no such user.
pub async fn insert(store: &Store, user: UserId, new: NewInteraction) -> Result<Interaction, StoreError> {
    let statement = sqlx::query_as::<_, Row>(
        "INSERT INTO user_interactions (user_id, movie_id, interaction_type) VALUES ($1, $2, $3)
         RETURNING id, user_id, movie_id, interaction_type, created_at",
    );
    let statement = statement.bind(user.get()).bind(new.movie_id.get()).bind(new.interaction_type.as_str());
    store.one(statement).await.map(Interaction::from)
}

/// Of a left join: a user without interactions gives one row of `NULL`s.
#[derive(FromRow)]
struct MaybeRow {
    id: Option<i64>,
    movie_id: Option<i32>,
    interaction_type: Option<String>,
    created_at: Option<DateTime<Utc>>,
}

impl MaybeRow {
    fn interaction(self, user: UserId) -> Option<Interaction> {
        Some(Interaction {
            id: self.id?,
            user_id: user.get(),
            movie_id: self.movie_id?,
            interaction_type: self.interaction_type?,
            created_at: self.created_at?,
        })
    }
}

/// The latest interactions of a user, newest first; `None` when there is no such user.
///
/// # Errors
/// [`StoreError`] when the database does not work.
pub async fn newest(store: &Store, user: UserId, limit: ListLimit) -> Result<Option<Vec<Interaction>>, StoreError> {
    let statement = sqlx::query_as::<_, MaybeRow>(
        "SELECT i.id, i.movie_id, i.interaction_type, i.created_at
         FROM users u
         LEFT JOIN LATERAL (
             SELECT id, movie_id, interaction_type, created_at
             FROM user_interactions
             WHERE user_id = u.id
             ORDER BY created_at DESC, id DESC
             LIMIT $2
         ) i ON TRUE
         WHERE u.id = $1
         ORDER BY i.created_at DESC, i.id DESC",
    );
    let rows = store.all(statement.bind(user.get()).bind(limit.get())).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(rows.into_iter().filter_map(|row| row.interaction(user)).collect()))
}

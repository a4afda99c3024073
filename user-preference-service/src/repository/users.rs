//! The table `users`.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::store::{Store, StoreError};
use crate::models::{
    id::UserId,
    user::{NewUser, User},
};

/// Two users may not have the same name.
pub const USERNAME_KEY: &str = "users_username_key";
/// Two users may not have the same address.
pub const EMAIL_KEY: &str = "users_email_key";

#[derive(FromRow)]
struct Row {
    id: i64,
    username: String,
    email: String,
    created_at: DateTime<Utc>,
}

impl From<Row> for User {
    fn from(Row { id, username, email, created_at }: Row) -> Self {
        Self { id, username, email, created_at }
    }
}

/// Stores a user.
///
/// # Errors
/// [`StoreError::Constraint`] with [`USERNAME_KEY`] or [`EMAIL_KEY`] when one of the two is taken.
pub async fn insert(store: &Store, user: &NewUser) -> Result<User, StoreError> {
    let statement = sqlx::query_as::<_, Row>(
        "INSERT INTO users (username, email) VALUES ($1, $2) RETURNING id, username, email, created_at",
    );
    store.one(statement.bind(user.username()).bind(user.email())).await.map(User::from)
}

/// The user, if there is one.
///
/// # Errors
/// [`StoreError`] when the database does not work.
pub async fn find(store: &Store, user: UserId) -> Result<Option<User>, StoreError> {
    let statement = sqlx::query_as::<_, Row>("SELECT id, username, email, created_at FROM users WHERE id = $1");
    Ok(store.optional(statement.bind(user.get())).await?.map(User::from))
}

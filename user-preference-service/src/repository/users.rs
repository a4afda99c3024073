//! The table `users`.

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        id::UserId,
        user::{NewUser, User},
    },
};

/// Two users may not have the same name.
pub const USERNAME_KEY: &str = "users_username_key";
/// Two users may not have the same address.
pub const EMAIL_KEY: &str = "users_email_key";

/// Stores a user.
///
/// # Errors
/// [`DatabaseError::Constraint`] with [`USERNAME_KEY`] or [`EMAIL_KEY`] when one of the two is taken.
pub async fn insert(database: &Database, user: &NewUser) -> Result<User, DatabaseError> {
    let statement = sqlx::query_as!(
        User,
        "INSERT INTO users (username, email) VALUES ($1, $2) RETURNING id, username, email, created_at",
        user.username.as_str(),
        user.email.as_str()
    );
    database.write("create a user", async |connection| statement.fetch_one(connection).await).await
}

/// The user, if there is one.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn find(database: &Database, user: UserId) -> Result<Option<User>, DatabaseError> {
    let statement =
        sqlx::query_as!(User, "SELECT id, username, email, created_at FROM users WHERE id = $1", user.get());
    database.read("find a user", async |connection| statement.fetch_optional(connection).await).await
}

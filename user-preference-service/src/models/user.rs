//! Users.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Invalid, text};

/// A user to be created: both texts are there and fit their columns. They are stored as they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    username: String,
    email: String,
}

impl NewUser {
    /// Checks what was sent; an empty text counts as left out.
    ///
    /// # Errors
    /// [`Invalid`] for the first rule that is broken.
    pub fn new(username: Option<String>, email: Option<String>) -> Result<Self, Invalid> {
        let (username, email) = (username.unwrap_or_default(), email.unwrap_or_default());
        if username.is_empty() || email.is_empty() {
            return Err(Invalid::UsernameAndEmailRequired);
        }
        text::without_nul(&username, "username")?;
        text::at_most(&username, 100, "username", "must be at most 100 characters")?;
        if text::is_blank(&username) {
            return Err(Invalid::Field { field: "username", rule: "must not be blank" });
        }
        text::without_nul(&email, "email")?;
        text::at_most(&email, 255, "email", "must be at most 255 characters")?;
        if !email.contains('@') {
            return Err(Invalid::Field { field: "email", rule: "must contain an @" });
        }
        Ok(Self { username, email })
    }

    /// At most 100 characters, not blank.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// At most 255 characters, with an `@`.
    pub fn email(&self) -> &str {
        &self.email
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    /// The number that the service gave.
    #[schema(example = 1, minimum = 1)]
    pub id: i64,
    /// Unique.
    #[schema(example = "ada", max_length = 100)]
    pub username: String,
    /// Unique.
    #[schema(example = "ada@example.com", max_length = 255)]
    pub email: String,
    /// RFC 3339, UTC.
    #[schema(example = "2026-11-22T18:00:00.123456Z")]
    pub created_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(username: &str, email: &str) -> String {
        NewUser::new(Some(username.to_owned()), Some(email.to_owned())).expect_err("refused").to_string()
    }

    #[test]
    fn both_texts_are_required() {
        for (username, email) in [("", "a@b"), ("ada", ""), ("", "")] {
            assert_eq!(refusal(username, email), "username and email are required");
        }
        assert_eq!(NewUser::new(None, Some("a@b".to_owned())), Err(Invalid::UsernameAndEmailRequired));
    }

    #[test]
    fn a_refusal_names_the_field() {
        assert_eq!(refusal(" \t", "a@b"), "username must not be blank");
        assert_eq!(refusal("a\0", "a@b"), "username must not contain a NUL character");
        assert_eq!(refusal(&"é".repeat(101), "a@b"), "username must be at most 100 characters");
        assert_eq!(refusal("ada", "ada.example.com"), "email must contain an @");
        assert_eq!(refusal("ada", &format!("{}@b", "a".repeat(254))), "email must be at most 255 characters");
    }

    #[test]
    fn texts_are_kept_as_they_were_sent() {
        let user = NewUser::new(Some(" Ada ".to_owned()), Some(" A@B ".to_owned())).expect("accepted");
        assert_eq!((user.username(), user.email()), (" Ada ", " A@B "));
    }
}

//! Users.

use chrono::{DateTime, Utc};

use super::{Invalid, text};

/// A name: 1 to 100 characters, not blank, without NUL. Kept as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Checks a name.
    ///
    /// # Errors
    /// [`Invalid`] for the first rule that is broken.
    pub fn new(text: String) -> Result<Self, Invalid> {
        const FIELD: &str = "username";
        text::without_nul(&text, FIELD)?;
        text::at_most(&text, 100, FIELD, "must be at most 100 characters")?;
        if text::is_blank(&text) {
            return Err(Invalid::Field { field: FIELD, rule: "must not be blank" });
        }
        Ok(Self(text))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An address: at most 255 characters with an `@` among them, without NUL. Kept as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks an address.
    ///
    /// # Errors
    /// [`Invalid`] for the first rule that is broken.
    pub fn new(text: String) -> Result<Self, Invalid> {
        const FIELD: &str = "email";
        text::without_nul(&text, FIELD)?;
        text::at_most(&text, 255, FIELD, "must be at most 255 characters")?;
        if !text.contains('@') {
            return Err(Invalid::Field { field: FIELD, rule: "must contain an @" });
        }
        Ok(Self(text))
    }

    /// The address itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Unique.
    pub username: Username,
    /// Unique.
    pub email: Email,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The number that the service gave.
    pub id: i64,
    /// Unique.
    pub username: String,
    /// Unique.
    pub email: String,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_not_blank_and_has_at_most_100_characters() {
        let rejection = |text: &str| Username::new(text.to_owned()).expect_err("rejected").to_string();
        assert_eq!(rejection(" \t"), "username must not be blank");
        assert_eq!(rejection("a\0"), "username must not contain a NUL character");
        assert_eq!(rejection(&"é".repeat(101)), "username must be at most 100 characters");
    }

    #[test]
    fn an_email_contains_an_at_sign_and_has_at_most_255_characters() {
        let rejection = |text: &str| Email::new(text.to_owned()).expect_err("rejected").to_string();
        assert_eq!(rejection("ada.example.com"), "email must contain an @");
        assert_eq!(rejection("a\0@b"), "email must not contain a NUL character");
        assert_eq!(rejection(&format!("{}@b", "a".repeat(254))), "email must be at most 255 characters");
    }

    #[test]
    fn texts_are_kept_as_they_were_sent() {
        assert_eq!(Username::new(" Ada ".to_owned()).expect("accepted").as_str(), " Ada ");
        assert_eq!(Email::new(" A@B ".to_owned()).expect("accepted").as_str(), " A@B ");
    }
}

//! Ids of users and movies.

use serde::Deserialize;

use super::Invalid;

/// The text is not a decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

/// The number of a user who may exist: above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(i64);

impl UserId {
    /// The number itself.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// A user's id in a path. Any whole number is well-formed, also one that no user can have: that is 404, not 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PathId(Option<UserId>);

impl PathId {
    /// Reads a decimal number; a sign or zeros may stand before it.
    ///
    /// # Errors
    /// [`NotANumber`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotANumber);
        }
        // A number that does not fit is larger than every id.
        Ok(Self(text.parse().ok().filter(|id| *id > 0).map(UserId)))
    }

    /// The id; `None` for a number that no user can have.
    pub fn user(self) -> Option<UserId> {
        self.0
    }
}

impl TryFrom<String> for PathId {
    type Error = NotANumber;

    fn try_from(text: String) -> Result<Self, NotANumber> {
        Self::parse(&text)
    }
}

/// The number of a movie, from 1 to 2,147,483,647. Whether there is such a movie only movie-service knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovieId(i32);

impl MovieId {
    /// Checks a number.
    ///
    /// # Errors
    /// [`Invalid::MovieId`] below 1, [`Invalid::Field`] above the largest id.
    pub fn new(number: i64) -> Result<Self, Invalid> {
        if number < 1 {
            return Err(Invalid::MovieId);
        }
        i32::try_from(number)
            .map(Self)
            .map_err(|_| Invalid::Field { field: "movie_id", rule: "must be at most 2147483647" })
    }

    /// The number itself.
    pub fn get(self) -> i32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Result<Option<i64>, NotANumber> {
        PathId::parse(text).map(|id| id.user().map(UserId::get))
    }

    #[test]
    fn a_sign_or_leading_zeros_may_stand_before_an_id() {
        for text in ["7", "+7", "07", "+007"] {
            assert_eq!(user(text), Ok(Some(7)), "{text}");
        }
    }

    #[test]
    fn numbers_that_no_user_has_are_still_numbers() {
        for text in ["0", "-0", "+0", "-1", "9223372036854775808", "18446744073709551616", &"9".repeat(10_000)] {
            assert_eq!(user(text), Ok(None), "{text}");
        }
        assert_eq!(user("9223372036854775807"), Ok(Some(i64::MAX)));
    }

    #[test]
    fn anything_else_is_not_a_number() {
        for text in
            ["", "+", "-", "abc", "1e3", "1.0", "0x1", "٣", "１", " 1", "1 ", "1,000", "--1", "+-1", "1\0", "1_0"]
        {
            assert_eq!(user(text), Err(NotANumber), "{text:?}");
        }
    }

    #[test]
    fn a_movie_id_is_a_positive_number_of_31_bits() {
        assert_eq!(MovieId::new(i64::from(i32::MAX)).map(MovieId::get), Ok(i32::MAX));
        assert_eq!(MovieId::new(0), Err(Invalid::MovieId));
        assert_eq!(MovieId::new(i64::MIN), Err(Invalid::MovieId));
        assert!(matches!(MovieId::new(2_147_483_648), Err(Invalid::Field { field: "movie_id", .. })));
    }
}

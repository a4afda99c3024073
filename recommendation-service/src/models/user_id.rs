//! The id of a user.

use std::{fmt, str::FromStr};

/// A user's id: a number above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(i64);

/// Why a text is not a user's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserIdError {
    /// Not a decimal number above 0.
    #[error("not a number above 0")]
    Invalid,
    /// A number, but larger than any id can be.
    #[error("a number larger than any id")]
    TooLarge,
}

impl UserId {
    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for UserId {
    type Error = UserIdError;

    fn try_from(id: i64) -> Result<Self, UserIdError> {
        if id > 0 { Ok(Self(id)) } else { Err(UserIdError::Invalid) }
    }
}

impl FromStr for UserId {
    type Err = UserIdError;

    /// A sign or leading zeros may stand before the number.
    fn from_str(text: &str) -> Result<Self, UserIdError> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if negative || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(UserIdError::Invalid);
        }
        match digits.parse() {
            Ok(0) => Err(UserIdError::Invalid),
            Ok(id) => Ok(Self(id)),
            // Digits only: too large is all that can be wrong with them.
            Err(_) => Err(UserIdError::TooLarge),
        }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_and_leading_zeros_may_stand_before_the_number() {
        for text in ["7", "+7", "007", "+0000000000000000000000007"] {
            assert_eq!(text.parse(), Ok(UserId(7)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_above_zero_is_invalid() {
        for text in ["", "+", "-", "0", "+0", "-0", "-7", "1.5", "1e3", "0x1", " 1", "1 ", "abc", "٣", "--1", "+-1"] {
            assert_eq!(text.parse::<UserId>(), Err(UserIdError::Invalid), "{text:?}");
        }
        assert_eq!("-99999999999999999999".parse::<UserId>(), Err(UserIdError::Invalid));
    }

    #[test]
    fn a_number_beyond_64_bits_is_too_large() {
        assert_eq!("9223372036854775807".parse(), Ok(UserId(i64::MAX)));
        assert_eq!("9223372036854775808".parse::<UserId>(), Err(UserIdError::TooLarge));
    }
}

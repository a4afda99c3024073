//! What a user prefers.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Invalid, id::UserId, text};

/// The language of users who chose none.
pub const DEFAULT_LANGUAGE: &str = "en";

/// At most 100 names of at most 100 characters, without NUL, in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genres(Vec<String>);

impl Genres {
    /// Checks the names.
    ///
    /// # Errors
    /// [`Invalid`] for the first rule that is broken.
    pub fn new(names: Vec<Option<String>>) -> Result<Self, Invalid> {
        const FIELD: &str = "preferred_genres";
        if names.len() > 100 {
            return Err(Invalid::Field { field: FIELD, rule: "must have at most 100 entries" });
        }
        let check = |name: Option<String>| {
            let name = name.ok_or(Invalid::Field { field: FIELD, rule: "must not contain null" })?;
            text::without_nul(&name, FIELD)?;
            text::at_most(&name, 100, FIELD, "must have entries of at most 100 characters")?;
            Ok(name)
        };
        names.into_iter().map(check).collect::<Result<_, _>>().map(Self)
    }

    /// The names themselves.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// At most 10 characters without NUL, not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageCode(String);

impl LanguageCode {
    /// Checks a code; an empty one means the default.
    ///
    /// # Errors
    /// [`Invalid`] for the first rule that is broken.
    pub fn new(code: String) -> Result<Self, Invalid> {
        const FIELD: &str = "preferred_language";
        if code.is_empty() {
            return Ok(Self(DEFAULT_LANGUAGE.to_owned()));
        }
        text::without_nul(&code, FIELD)?;
        text::at_most(&code, 10, FIELD, "must be at most 10 characters")?;
        Ok(Self(code))
    }

    /// The code itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number from 0 to 10.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rating(f64);

impl Rating {
    /// Checks a number.
    ///
    /// # Errors
    /// [`Invalid`] outside of the range.
    pub fn new(number: f64) -> Result<Self, Invalid> {
        if !(0.0..=10.0).contains(&number) {
            return Err(Invalid::Field { field: "min_rating", rule: "must be a number from 0 to 10" });
        }
        // The absolute value, so that -0 is stored and shown as 0.
        Ok(Self(number.abs()))
    }

    /// The number itself.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// Preferences to be stored in place of all that a user has.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPreferences {
    /// Genres that the user likes.
    pub genres: Genres,
    /// The language of movies that the user likes.
    pub language: LanguageCode,
    /// Movies rated below it are not recommended.
    pub min_rating: Rating,
}

/// The preferences of a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preferences {
    /// The number of this record; 0 for a user who set none.
    pub id: i64,
    /// Whose they are.
    pub user_id: i64,
    /// Names of genres, in the order in which they were sent.
    pub preferred_genres: Vec<String>,
    /// `en` unless another was set.
    pub preferred_language: String,
    /// From 0 to 10.
    pub min_rating: f64,
    /// Grows with each change; 0 for a user who set none.
    pub revision: i64,
    /// The time of the last change; the first of January of the year 1 for a user who set none.
    pub updated_at: DateTime<Utc>,
}

impl Preferences {
    /// What a user has who set none.
    pub fn unset(user: UserId) -> Self {
        let year_one = NaiveDate::from_ymd_opt(1, 1, 1).expect("a valid date").and_time(NaiveTime::MIN);
        Self {
            id: 0,
            user_id: user.get(),
            preferred_genres: Vec::new(),
            preferred_language: DEFAULT_LANGUAGE.to_owned(),
            min_rating: 0.0,
            revision: 0,
            updated_at: year_one.and_utc(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|name| Some((*name).to_owned())).collect()
    }

    #[test]
    fn genres_are_kept_as_they_were_sent() {
        assert_eq!(Genres::new(names(&["b", "a", "b", ""])).expect("accepted").as_slice(), ["b", "a", "b", ""]);
        assert!(Genres::new(vec![]).expect("accepted").as_slice().is_empty());
    }

    #[test]
    fn there_are_at_most_100_genres_of_at_most_100_characters() {
        let rejection = |names| Genres::new(names).expect_err("rejected").to_string();
        assert_eq!(rejection(vec![None]), "preferred_genres must not contain null");
        assert_eq!(rejection(names(&[""; 101])), "preferred_genres must have at most 100 entries");
        assert_eq!(rejection(names(&["a\0"])), "preferred_genres must not contain a NUL character");
        let long = "é".repeat(101);
        assert_eq!(rejection(names(&[&long])), "preferred_genres must have entries of at most 100 characters");
    }

    #[test]
    fn a_language_has_at_most_10_characters_and_an_empty_one_is_the_default() {
        let rejection = |code: &str| LanguageCode::new(code.to_owned()).expect_err("rejected").to_string();
        assert_eq!(rejection(&"e".repeat(11)), "preferred_language must be at most 10 characters");
        assert_eq!(rejection("\0"), "preferred_language must not contain a NUL character");
        assert_eq!(LanguageCode::new(String::new()).expect("accepted").as_str(), "en");
    }

    #[test]
    fn a_rating_is_a_number_from_0_to_10() {
        for wrong in [-0.1, 10.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let rejection = Rating::new(wrong).expect_err("rejected").to_string();
            assert_eq!(rejection, "min_rating must be a number from 0 to 10");
        }
        for right in [0.0, 7.25, 10.0] {
            assert_eq!(Rating::new(right).expect("accepted").get(), right);
        }
        assert!(Rating::new(-0.0).expect("accepted").get().is_sign_positive());
    }
}

//! What a user prefers.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, id::UserId, text};

/// Most entries in the list of genres.
pub const MAX_GENRES: usize = 100;
/// The language of users who chose none.
pub const DEFAULT_LANGUAGE: &str = "en";

/// All three preferences of a user; what was left out has its default.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPreferences {
    genres: Vec<String>,
    language: String,
    min_rating: f64,
}

impl NewPreferences {
    /// Checks what was sent; an empty language counts as left out.
    ///
    /// # Errors
    /// [`Invalid`] for the first rule that is broken.
    pub fn new(
        genres: Option<Vec<Option<String>>>,
        language: Option<String>,
        min_rating: Option<f64>,
    ) -> Result<Self, Invalid> {
        Ok(Self {
            genres: checked_genres(genres.unwrap_or_default())?,
            language: checked_language(language.unwrap_or_default())?,
            min_rating: checked_rating(min_rating.unwrap_or(0.0))?,
        })
    }

    /// At most 100 names of at most 100 characters, in the order in which they were sent.
    pub fn genres(&self) -> &[String] {
        &self.genres
    }

    /// At most 10 characters, not empty.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// From 0 to 10.
    pub fn min_rating(&self) -> f64 {
        self.min_rating
    }
}

fn checked_genres(sent: Vec<Option<String>>) -> Result<Vec<String>, Invalid> {
    const FIELD: &str = "preferred_genres";
    if sent.len() > MAX_GENRES {
        return Err(Invalid::Field { field: FIELD, rule: "must have at most 100 entries" });
    }
    let check = |genre: Option<String>| {
        let genre = genre.ok_or(Invalid::Field { field: FIELD, rule: "must not contain null" })?;
        text::without_nul(&genre, FIELD)?;
        text::at_most(&genre, 100, FIELD, "must have entries of at most 100 characters")?;
        Ok(genre)
    };
    sent.into_iter().map(check).collect()
}

fn checked_language(sent: String) -> Result<String, Invalid> {
    const FIELD: &str = "preferred_language";
    if sent.is_empty() {
        return Ok(DEFAULT_LANGUAGE.to_owned());
    }
    text::without_nul(&sent, FIELD)?;
    text::at_most(&sent, 10, FIELD, "must be at most 10 characters")?;
    Ok(sent)
}

fn checked_rating(sent: f64) -> Result<f64, Invalid> {
    if !(0.0..=10.0).contains(&sent) {
        return Err(Invalid::Field { field: "min_rating", rule: "must be a number from 0 to 10" });
    }
    // The absolute value, so that -0 is stored and shown as 0.
    Ok(sent.abs())
}

/// The preferences of a user, as they are sent and cached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Preferences {
    /// The number of this record; 0 for a user who set none.
    #[schema(example = 1, minimum = 0)]
    pub id: i64,
    /// Whose they are.
    #[schema(example = 1, minimum = 1)]
    pub user_id: i64,
    /// Names of genres, in the order in which they were sent.
    #[schema(example = json!(["Action", "Science Fiction"]), max_items = 100)]
    pub preferred_genres: Vec<String>,
    /// `en` unless another was set.
    #[schema(example = "en", max_length = 10)]
    pub preferred_language: String,
    /// Movies rated below it are not recommended.
    #[schema(example = 7.0, minimum = 0, maximum = 10)]
    pub min_rating: f64,
    /// RFC 3339, UTC; `0001-01-01T00:00:00Z` for a user who set none.
    #[schema(example = "2026-11-22T18:00:00.123456Z")]
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
            updated_at: year_one.and_utc(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(sent: Result<NewPreferences, Invalid>) -> String {
        sent.expect_err("refused").to_string()
    }

    fn genres(names: &[&str]) -> Option<Vec<Option<String>>> {
        Some(names.iter().map(|name| Some((*name).to_owned())).collect())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let sent = NewPreferences::new(None, None, None).expect("accepted");
        assert_eq!((sent.genres(), sent.language(), sent.min_rating()), (&[][..], "en", 0.0));
        assert_eq!(NewPreferences::new(None, Some(String::new()), None).expect("accepted").language(), "en");
    }

    #[test]
    fn genres_are_kept_as_they_were_sent() {
        let sent = NewPreferences::new(genres(&["b", "a", "b", ""]), None, None).expect("accepted");
        assert_eq!(sent.genres(), ["b", "a", "b", ""]);
    }

    #[test]
    fn a_refusal_names_the_field() {
        let new = NewPreferences::new;
        assert_eq!(rule(new(Some(vec![None]), None, None)), "preferred_genres must not contain null");
        assert_eq!(
            rule(new(Some(vec![Some(String::new()); 101]), None, None)),
            "preferred_genres must have at most 100 entries"
        );
        assert_eq!(rule(new(genres(&["a\0"]), None, None)), "preferred_genres must not contain a NUL character");
        let long = "é".repeat(101);
        assert_eq!(
            rule(new(genres(&[&long]), None, None)),
            "preferred_genres must have entries of at most 100 characters"
        );
        assert_eq!(rule(new(None, Some("e".repeat(11)), None)), "preferred_language must be at most 10 characters");
        assert_eq!(rule(new(None, Some("\0".into()), None)), "preferred_language must not contain a NUL character");
    }

    #[test]
    fn a_rating_is_a_number_from_0_to_10() {
        for wrong in [-0.1, 10.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(rule(NewPreferences::new(None, None, Some(wrong))), "min_rating must be a number from 0 to 10");
        }
        for right in [0.0, 7.25, 10.0] {
            assert_eq!(NewPreferences::new(None, None, Some(right)).expect("accepted").min_rating(), right);
        }
        let zero = NewPreferences::new(None, None, Some(-0.0)).expect("accepted").min_rating();
        assert!(zero.is_sign_positive());
    }
}

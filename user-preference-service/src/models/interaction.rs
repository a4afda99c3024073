//! What users do with movies.

use std::{convert::Infallible, num::IntErrorKind, str::FromStr};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Invalid,
    id::MovieId,
    interaction_value::{OccurredAt, RatingValue, RecommendationId},
    text,
};

/// The kinds of interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InteractionType {
    /// The user liked the movie.
    Like,
    /// The user did not like it.
    Dislike,
    /// The user means to watch it.
    Watchlist,
    /// The user has watched it.
    Watched,
    /// The user gave it a number of points.
    Rating,
    /// The user began to watch it and gave up.
    Abandoned,
}

impl InteractionType {
    /// Reads the exact word.
    ///
    /// # Errors
    /// [`Invalid`] for any other text; its message repeats one of at most 50 characters.
    pub fn parse(word: String) -> Result<Self, Invalid> {
        if let Some(known) = Self::from_word(&word) {
            return Ok(known);
        }
        text::without_nul(&word, "interaction_type")?;
        text::at_most(&word, 50, "interaction_type", "must be at most 50 characters")?;
        Err(Invalid::InteractionType(word))
    }

    /// Reads the exact word; `None` for any other text.
    pub fn from_word(word: &str) -> Option<Self> {
        const ALL: [InteractionType; 6] = [
            InteractionType::Like,
            InteractionType::Dislike,
            InteractionType::Watchlist,
            InteractionType::Watched,
            InteractionType::Rating,
            InteractionType::Abandoned,
        ];
        ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The word itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Dislike => "dislike",
            Self::Watchlist => "watchlist",
            Self::Watched => "watched",
            Self::Rating => "rating",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether it says what the user thinks of the movie. A movie on the watchlist is not known to them yet.
    pub fn is_feedback(self) -> bool {
        self != Self::Watchlist
    }
}

/// An interaction to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInteraction {
    /// The movie, which need not exist.
    pub movie_id: MovieId,
    /// What the user did with it.
    pub interaction_type: InteractionType,
    /// The points of a rating; of no other type.
    pub value: Option<RatingValue>,
    /// When the user did it, if that was not just now.
    pub occurred_at: Option<OccurredAt>,
    /// The list of recommendations that it comes from.
    pub recommendation_id: Option<RecommendationId>,
}

impl NewInteraction {
    /// The points that belong to an interaction of this type.
    ///
    /// # Errors
    /// [`Invalid`] for a rating without them, another type with them, or a number that is no rating.
    pub fn value_of(kind: InteractionType, value: Option<f64>) -> Result<Option<RatingValue>, Invalid> {
        let refuse = |rule| Err(Invalid::Field { field: "value", rule });
        match (kind, value) {
            (InteractionType::Rating, None) => refuse("is required for a rating"),
            (InteractionType::Rating, Some(number)) => RatingValue::new(number).map(Some),
            (_, None) => Ok(None),
            (_, Some(_)) => refuse("is only for a rating"),
        }
    }
}

/// An interaction that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    /// The number of this record.
    pub id: i64,
    /// Who did it.
    pub user_id: i64,
    /// The movie, by movie-service's id.
    pub movie_id: i32,
    /// What the user did with it.
    pub interaction_type: String,
    /// The points of a rating.
    pub value: Option<f32>,
    /// When the user did it.
    pub occurred_at: DateTime<Utc>,
    /// The list of recommendations that it comes from.
    pub recommendation_id: Option<String>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

/// How many interactions a list holds at most: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListLimit(i64);

impl Default for ListLimit {
    fn default() -> Self {
        Self(50)
    }
}

impl FromStr for ListLimit {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::parse(text))
    }
}

impl ListLimit {
    /// The largest one.
    pub const MAX: Self = Self(1000);

    /// Reads a number; 0 or less, or anything unreadable, means 50, and more than 1,000 means 1,000.
    pub fn parse(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(number) if number > 0 => Self(number.min(Self::MAX.0)),
            Err(error) if *error.kind() == IntErrorKind::PosOverflow => Self::MAX,
            _ => Self::default(),
        }
    }

    /// The number itself.
    pub fn get(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_one_of_six_words() {
        for word in ["like", "dislike", "watchlist", "watched", "rating", "abandoned"] {
            assert_eq!(InteractionType::parse(word.to_owned()).expect("known").as_str(), word);
        }
        for (sent, text) in [("love", "invalid interaction type: love"), ("Like", "invalid interaction type: Like")] {
            assert_eq!(InteractionType::parse(sent.to_owned()).expect_err("unknown").to_string(), text);
        }
        assert_eq!(
            InteractionType::parse(String::new()).expect_err("unknown").to_string(),
            "invalid interaction type: "
        );
    }

    #[test]
    fn only_a_rating_has_a_value() {
        let refusal = |kind, value| NewInteraction::value_of(kind, value).expect_err("refused").to_string();
        assert_eq!(
            NewInteraction::value_of(InteractionType::Rating, Some(8.5)).map(|value| value.map(RatingValue::get)),
            Ok(Some(8.5))
        );
        assert_eq!(NewInteraction::value_of(InteractionType::Like, None), Ok(None));
        assert_eq!(refusal(InteractionType::Rating, None), "value is required for a rating");
        assert_eq!(refusal(InteractionType::Abandoned, Some(8.5)), "value is only for a rating");
    }

    #[test]
    fn a_type_that_is_too_long_is_not_repeated() {
        let refusal = |length| InteractionType::parse("x".repeat(length)).expect_err("unknown").to_string();
        assert_eq!(refusal(51), "interaction_type must be at most 50 characters");
        assert!(refusal(50).starts_with("invalid interaction type: xxx"));
    }

    #[test]
    fn a_limit_that_cannot_be_used_means_50_and_a_larger_one_1000() {
        for text in ["", "0", "-1", "abc", "1.5", "1e3", " 7", "-99999999999999999999"] {
            assert_eq!(ListLimit::parse(text).get(), 50, "{text:?}");
        }
        for (text, limit) in [("1", 1), ("+7", 7), ("1000", 1000), ("1001", 1000), (&"9".repeat(100), 1000)] {
            assert_eq!(ListLimit::parse(text).get(), limit, "{text:?}");
        }
    }
}

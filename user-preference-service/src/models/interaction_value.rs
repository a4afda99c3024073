//! What an interaction may carry besides its movie and its type.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::{Invalid, text};

/// How far a client's clock may be ahead.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// A rating: 0.5 to 10 in steps of 0.5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatingValue(f32);

impl RatingValue {
    /// Checks a number.
    ///
    /// # Errors
    /// [`Invalid`] for a number that is not one of the twenty.
    pub fn new(number: f64) -> Result<Self, Invalid> {
        if !(0.5..=10.0).contains(&number) || (number * 2.0).fract() != 0.0 {
            return Err(Invalid::Field { field: "value", rule: "must be a number from 0.5 to 10 in steps of 0.5" });
        }
        // Exact: the fraction is 0 or a half.
        Ok(Self(number as f32))
    }

    /// The number itself.
    pub fn get(self) -> f32 {
        self.0
    }
}

/// When a user did something: from 1888, the year of the first film, to a minute from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OccurredAt(DateTime<Utc>);

impl OccurredAt {
    /// Reads an RFC 3339 time with any offset.
    ///
    /// # Errors
    /// [`Invalid`] for any other text, or a time out of the range.
    pub fn parse(text: &str, now: DateTime<Utc>) -> Result<Self, Invalid> {
        let refuse = |rule| Invalid::Field { field: "occurred_at", rule };
        let time = DateTime::parse_from_rfc3339(text)
            .map_err(|_| refuse("must be a time in RFC 3339, such as 2026-11-22T18:00:00Z"))?
            .to_utc();
        let first_film = NaiveDate::from_ymd_opt(1888, 1, 1).expect("a valid date").and_time(NaiveTime::MIN).and_utc();
        if time < first_film {
            return Err(refuse("must not be before 1888-01-01"));
        }
        if time > now + CLOCK_TOLERANCE {
            return Err(refuse("must not be in the future"));
        }
        Ok(Self(time))
    }

    /// The time itself.
    pub fn get(self) -> DateTime<Utc> {
        self.0
    }
}

/// The id of a list of recommendations: 1 to 100 characters without NUL, whose meaning only recommendation-service knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecommendationId(String);

impl RecommendationId {
    /// Checks an id.
    ///
    /// # Errors
    /// [`Invalid`] for the first rule that is broken.
    pub fn new(id: String) -> Result<Self, Invalid> {
        const FIELD: &str = "recommendation_id";
        text::without_nul(&id, FIELD)?;
        text::at_most(&id, 100, FIELD, "must be at most 100 characters")?;
        if id.is_empty() {
            return Err(Invalid::Field { field: FIELD, rule: "must not be empty" });
        }
        Ok(Self(id))
    }

    /// The id itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_is_one_of_twenty_numbers() {
        for halves in 1..=20 {
            let number = f64::from(halves) / 2.0;
            assert_eq!(RatingValue::new(number).map(RatingValue::get), Ok(number as f32));
        }
        for wrong in [0.0, -0.5, 0.49, 0.75, 7.25, 10.5, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let refusal = RatingValue::new(wrong).expect_err("refused").to_string();
            assert_eq!(refusal, "value must be a number from 0.5 to 10 in steps of 0.5", "{wrong}");
        }
    }

    #[test]
    fn a_time_lies_between_the_first_film_and_a_minute_from_now() {
        let now = "2026-11-22T18:00:00Z".parse().expect("a time");
        let parse = |text: &str| OccurredAt::parse(text, now).map(|time| time.get().to_rfc3339());
        let refusal = |text: &str| parse(text).expect_err("refused").to_string();
        for (text, time) in [
            ("2026-11-22T18:01:00Z", "2026-11-22T18:01:00+00:00"),
            ("1888-01-01T00:00:00Z", "1888-01-01T00:00:00+00:00"),
            ("2026-11-22T21:30:00.5+05:30", "2026-11-22T16:00:00.500+00:00"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(time));
        }
        for text in ["2026-11-22T18:01:00.000001Z", "2026-11-22T18:01:00-00:01", "9999-12-31T23:59:59Z"] {
            assert_eq!(refusal(text), "occurred_at must not be in the future", "{text}");
        }
        for text in ["1887-12-31T23:59:59Z", "1888-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z"] {
            assert_eq!(refusal(text), "occurred_at must not be before 1888-01-01", "{text}");
        }
        for text in ["", "2026-11-22", "2026-11-22T18:00:00", "2026-02-30T00:00:00Z", "1700000000", "yesterday", "\0"] {
            assert!(refusal(text).starts_with("occurred_at must be a time in RFC 3339"), "{text}");
        }
    }

    #[test]
    fn the_id_of_a_list_has_1_to_100_characters() {
        let new = |id: &str| RecommendationId::new(id.to_owned()).map(|id| id.as_str().to_owned());
        let refusal = |id: &str| new(id).expect_err("refused").to_string();
        assert_eq!(new(&"é".repeat(100)), Ok("é".repeat(100)));
        assert_eq!(refusal(&"é".repeat(101)), "recommendation_id must be at most 100 characters");
        assert_eq!(refusal(""), "recommendation_id must not be empty");
        assert_eq!(refusal("a\0"), "recommendation_id must not contain a NUL character");
    }
}

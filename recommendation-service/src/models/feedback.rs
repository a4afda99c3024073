//! What a user did with movies, and how much that says.

use chrono::{DateTime, Utc};

/// What a user did with a movie last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feedback {
    /// The movie's id; the movie need not be in the catalogue.
    pub movie_id: i32,
    /// What it was.
    pub kind: FeedbackKind,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// A kind of feedback.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FeedbackKind {
    /// Liked.
    Like,
    /// Disliked.
    Dislike,
    /// Rated, 0.5 to 10.
    Rating(f64),
    /// Watched, and nothing said.
    Watched,
    /// Begun and not finished.
    Abandoned,
}

impl FeedbackKind {
    /// From its name in user-preference-service, with the value of a rating; `None` for a kind that says nothing about
    /// liking, or that a newer release may have.
    pub fn parse(name: &str, value: Option<f64>) -> Option<Self> {
        match (name, value) {
            ("like", _) => Some(Self::Like),
            ("dislike", _) => Some(Self::Dislike),
            ("rating", Some(value)) => Some(Self::Rating(value)),
            ("watched", _) => Some(Self::Watched),
            ("abandoned", _) => Some(Self::Abandoned),
            _ => None,
        }
    }
}

/// How much each kind of feedback says, from -1 (never again) to 1 (more of it), and how fast it fades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeedbackSettings {
    /// Strength of a like.
    pub like: f64,
    /// Strength of a dislike.
    pub dislike: f64,
    /// Strength of the best rating; the worst has its negative, 5.5 has none.
    pub rating: f64,
    /// Strength of watching.
    pub watched: f64,
    /// Strength of abandoning.
    pub abandoned: f64,
    /// After so many days feedback says half as much.
    pub half_life_days: f64,
}

impl Default for FeedbackSettings {
    fn default() -> Self {
        Self { like: 1.0, dislike: -1.0, rating: 1.0, watched: 0.3, abandoned: -0.4, half_life_days: 730.0 }
    }
}

impl FeedbackSettings {
    /// What a feedback says at the time `now`, from -1 to 1; one from the future says as much as one of now.
    pub fn strength(&self, feedback: &Feedback, now: DateTime<Utc>) -> f64 {
        let days = (now - feedback.occurred_at).num_seconds().max(0) as f64 / 86_400.0;
        self.strength_at_first(feedback.kind) * 0.5_f64.powf(days / self.half_life_days)
    }

    /// What a kind of feedback says as long as it has not faded, from -1 to 1.
    pub fn strength_at_first(&self, kind: FeedbackKind) -> f64 {
        match kind {
            FeedbackKind::Like => self.like,
            FeedbackKind::Dislike => self.dislike,
            FeedbackKind::Rating(value) => self.rating * ((value - 5.5) / 4.5).clamp(-1.0, 1.0),
            FeedbackKind::Watched => self.watched,
            FeedbackKind::Abandoned => self.abandoned,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::*;

    fn strength(kind: FeedbackKind, age_days: u64) -> f64 {
        let now = DateTime::UNIX_EPOCH + Days::new(10_000);
        let feedback = Feedback { movie_id: 1, kind, occurred_at: now - Days::new(age_days) };
        FeedbackSettings::default().strength(&feedback, now)
    }

    #[test]
    fn each_kind_has_its_strength_and_ratings_one_by_their_value() {
        for (kind, expected) in [
            (FeedbackKind::Like, 1.0),
            (FeedbackKind::Dislike, -1.0),
            (FeedbackKind::Watched, 0.3),
            (FeedbackKind::Abandoned, -0.4),
            (FeedbackKind::Rating(10.0), 1.0),
            (FeedbackKind::Rating(5.5), 0.0),
            (FeedbackKind::Rating(1.0), -1.0),
            (FeedbackKind::Rating(0.5), -1.0),
        ] {
            assert_eq!(strength(kind, 0), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_kind_that_says_nothing_about_liking_is_none() {
        assert_eq!(FeedbackKind::parse("rating", Some(7.0)), Some(FeedbackKind::Rating(7.0)));
        for (name, value) in [("rating", None), ("watchlist", None), ("a kind of a newer release", Some(7.0))] {
            assert_eq!(FeedbackKind::parse(name, value), None, "{name}");
        }
    }

    #[test]
    fn it_fades_by_half_in_each_half_life() {
        assert_eq!([0, 730, 1460].map(|days| strength(FeedbackKind::Like, days)), [1.0, 0.5, 0.25]);
    }
}

//! A user's profile as user-preference-service sends it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::PeerError;
use crate::models::{
    feedback::{Feedback, FeedbackKind},
    user_id::UserId,
    user_profile::UserProfile,
};

/// A profile as it was sent: parsed only when a list must be made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileBody(Bytes);

/// The JSON form. Fields not named here do not change recommendations; those that an older release of
/// user-preference-service does not send yet may be missing.
#[derive(Deserialize)]
struct ProfileJson {
    user_id: i64,
    preferred_genres: Vec<String>,
    #[serde(default)]
    preferred_language: String,
    min_rating: f64,
    seen_movie_ids: Vec<i64>,
    #[serde(default)]
    feedback: Vec<FeedbackJson>,
    #[serde(default)]
    watchlist: Vec<i64>,
}

#[derive(Deserialize)]
struct RevisionJson {
    revision: Option<String>,
}

#[derive(Deserialize)]
struct FeedbackJson {
    movie_id: i64,
    kind: String,
    value: Option<f64>,
    occurred_at: DateTime<Utc>,
}

impl ProfileBody {
    /// Of the bytes that were sent.
    pub fn new(body: Bytes) -> Self {
        Self(body)
    }

    /// What it is the state of: its revision, or from an older release of user-preference-service, that sends none, the
    /// digest of the whole (equal data gives equal bytes).
    pub fn revision(&self) -> String {
        match serde_json::from_slice::<RevisionJson>(&self.0) {
            Ok(RevisionJson { revision: Some(revision) }) => revision,
            _ => Sha256::digest(&self.0).iter().fold(String::from("sha256-"), |text, byte| format!("{text}{byte:02x}")),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`PeerError::Malformed`] when it is not the profile of `user`.
    pub fn parse(&self, user: UserId) -> Result<UserProfile, PeerError> {
        let json: ProfileJson = serde_json::from_slice(&self.0).map_err(PeerError::malformed)?;
        if json.user_id != user.get() {
            return Err(PeerError::malformed("the profile of another user"));
        }
        let ProfileJson { preferred_genres, preferred_language, min_rating, .. } = json;
        Ok(UserProfile {
            preferred_genres,
            preferred_language,
            min_rating,
            seen_movie_ids: movie_ids(json.seen_movie_ids),
            feedback: json.feedback.into_iter().filter_map(FeedbackJson::parse).collect(),
            watchlist: movie_ids(json.watchlist),
        })
    }
}

impl FeedbackJson {
    /// `None` for a kind that a newer release may have, and for a movie that cannot be.
    fn parse(self) -> Option<Feedback> {
        let kind = FeedbackKind::parse(&self.kind, self.value)?;
        Some(Feedback { movie_id: i32::try_from(self.movie_id).ok()?, kind, occurred_at: self.occurred_at })
    }
}

/// Ascending, each once, without those that no movie can have.
fn movie_ids(ids: Vec<i64>) -> Vec<i32> {
    let mut ids: Vec<i32> = ids.into_iter().filter_map(|id| i32::try_from(id).ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"user_id":7,"preferred_genres":["Drama"],"preferred_language":"en","min_rating":6.5,
        "seen_movie_ids":[9,2,9,99999999999]}"#;
    const FEEDBACK: &str = r#","revision":"1-2","watchlist":[8,5],"feedback":[
        {"movie_id":9,"kind":"rating","value":8.5,"occurred_at":"2026-01-02T03:04:05Z"},
        {"movie_id":2,"kind":"dislike","occurred_at":"2026-01-02T03:04:05.5Z"},
        {"movie_id":3,"kind":"rating","occurred_at":"2026-01-02T03:04:05Z"},
        {"movie_id":4,"kind":"hummed","occurred_at":"2026-01-02T03:04:05Z"},
        {"movie_id":99999999999,"kind":"like","occurred_at":"2026-01-02T03:04:05Z"}]}"#;

    fn parse(json: &str, user: &str) -> Option<UserProfile> {
        ProfileBody::new(Bytes::copy_from_slice(json.as_bytes())).parse(user.parse().expect("an id")).ok()
    }

    #[test]
    fn seen_movies_are_sorted_without_duplicates() {
        let expected = UserProfile {
            preferred_genres: vec!["Drama".into()],
            preferred_language: "en".into(),
            min_rating: 6.5,
            seen_movie_ids: vec![2, 9],
            ..UserProfile::default()
        };
        assert_eq!(parse(JSON, "7"), Some(expected));
    }

    #[test]
    fn feedback_is_read_except_what_cannot_be_understood() {
        let profile = parse(&JSON.replace("99999999999]}", &format!("99999999999]{FEEDBACK}")), "7");
        let profile = profile.expect("a profile");
        let kinds: Vec<_> = profile.feedback.iter().map(|feedback| (feedback.movie_id, feedback.kind)).collect();
        assert_eq!(kinds, [(9, FeedbackKind::Rating(8.5)), (2, FeedbackKind::Dislike)]);
        assert_eq!(profile.watchlist, [5, 8]);
    }

    #[test]
    fn the_revision_is_the_one_that_was_sent_or_else_the_digest() {
        let revision = |json: &str| ProfileBody::new(Bytes::copy_from_slice(json.as_bytes())).revision();
        assert_eq!(revision(r#"{"user_id":7,"revision":"1-2"}"#), "1-2");
        let (one, other) = (revision(JSON), revision("{}"));
        assert!(one.starts_with("sha256-") && one.len() == 71 && one != other);
    }

    #[test]
    fn anything_but_the_profile_of_this_user_is_refused() {
        assert_eq!(parse(JSON, "8"), None);
        for json in ["", "{}", "null", "[]", r#"{"user_id":7}"#, &JSON[..40], &JSON.replace("6.5", "\"high\"")] {
            assert_eq!(parse(json, "7"), None, "{json}");
        }
    }
}

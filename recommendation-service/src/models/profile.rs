//! What user-preference-service says about a user, as far as it matters here.

use serde::Deserialize;

use super::user_id::UserId;

/// What a user likes and has seen. The default is a user about whom nothing is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Names of genres, as the user wrote them.
    pub preferred_genres: Vec<String>,
    /// Movies rated below it are not wanted.
    pub min_rating: f64,
    /// Movies watched or disliked: ascending, each once.
    pub seen: Vec<i32>,
}

/// The answer as it is sent. Fields not named here do not change recommendations.
#[derive(Deserialize)]
struct Wire {
    user_id: i64,
    preferred_genres: Vec<String>,
    min_rating: f64,
    seen_movie_ids: Vec<i64>,
}

impl Profile {
    /// Reads the JSON form; `None` when it is not the profile of `user`.
    pub fn from_json(json: &[u8], user: UserId) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(json).ok().filter(|wire: &Wire| wire.user_id == user.get())?;
        // An id that no movie can have hides no movie.
        let mut seen: Vec<i32> = wire.seen_movie_ids.into_iter().filter_map(|id| i32::try_from(id).ok()).collect();
        seen.sort_unstable();
        seen.dedup();
        Some(Self { preferred_genres: wire.preferred_genres, min_rating: wire.min_rating, seen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"user_id":7,"preferred_genres":["Drama"],"preferred_language":"en","min_rating":6.5,
        "seen_movie_ids":[9,2,9,99999999999]}"#;

    fn user(id: &str) -> UserId {
        id.parse().expect("an id")
    }

    #[test]
    fn seen_movies_are_sorted_and_each_there_once() {
        let profile = Profile::from_json(JSON.as_bytes(), user("7")).expect("a profile");
        assert_eq!(profile, Profile { preferred_genres: vec!["Drama".into()], min_rating: 6.5, seen: vec![2, 9] });
    }

    #[test]
    fn anything_but_the_profile_of_this_user_is_refused() {
        assert_eq!(Profile::from_json(JSON.as_bytes(), user("8")), None);
        for json in ["", "{}", "null", "[]", r#"{"user_id":7}"#, &JSON[..40], &JSON.replace("6.5", "\"high\"")] {
            assert_eq!(Profile::from_json(json.as_bytes(), user("7")), None, "{json}");
        }
    }
}

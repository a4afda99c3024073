//! What users liked, brought up to date by increments, within bounds of memory.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use crate::service::model::training::Like;

/// How much a movie was liked that a user has watched and said nothing about.
const WATCHED: f64 = 0.3;

/// What a user did with a movie.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedbackEntry {
    /// The user's id.
    pub user_id: i64,
    /// The movie's id.
    pub movie_id: i32,
    /// `like`, `dislike`, `rating`, `watched`, `abandoned`, or something that says nothing about liking.
    pub kind: String,
    /// Of a rating, 0.5 to 10.
    pub value: Option<f64>,
    /// When, in seconds since 1970.
    pub occurred_at: i64,
}

impl FeedbackEntry {
    /// How much the user likes the movie, 0 (not at all) to 1; `None` when this says nothing about it.
    fn strength(&self) -> Option<f32> {
        let strength = match (self.kind.as_str(), self.value) {
            ("like", _) => 1.0,
            ("watched", _) => WATCHED,
            ("dislike" | "abandoned", _) => 0.0,
            ("rating", Some(value)) => like_strength(value),
            _ => return None,
        };
        Some(strength as f32)
    }
}

/// How much a user likes a movie that was rated `rating` of 10: 0 up to 5.5, 1 from 10 on.
pub fn like_strength(rating: f64) -> f64 {
    ((rating - 5.5) / 4.5).clamp(0.0, 1.0)
}

/// The latest feedback of each user about each movie.
///
/// When there is more than fits, a sample of the users is kept, by a hash of their ids: half of them, then a quarter, and
/// so on. The model needs many users, not all.
#[derive(Debug)]
pub struct FeedbackLog {
    latest: HashMap<(i64, i32), State>,
    capacity: usize,
    /// Users are kept whose hash ends in so many zeros.
    sampling: u32,
    changes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    at: i64,
    strength: f32,
}

impl FeedbackLog {
    /// Room for the feedback of users about `capacity` pairs of user and movie.
    pub fn new(capacity: usize) -> Self {
        Self { latest: HashMap::new(), capacity, sampling: 0, changes: 0 }
    }

    /// Takes an entry. The later one counts; of two at the same time, the one that came last.
    pub fn apply(&mut self, entry: &FeedbackEntry) {
        let Some(strength) = entry.strength() else { return };
        if !self.keeps(entry.user_id) {
            return;
        }
        let (key, state) = ((entry.user_id, entry.movie_id), State { at: entry.occurred_at, strength });
        let known = self.latest.get(&key);
        if known.is_some_and(|known| known.at > state.at || *known == state) {
            return;
        }
        self.latest.insert(key, state);
        self.changes += 1;
        while self.latest.len() > self.capacity && self.sampling < u64::BITS {
            self.sampling += 1;
            let sampling = self.sampling;
            self.latest.retain(|(user, _), _| is_sampled(*user, sampling));
        }
    }

    /// What the users like now: by user, then by movie.
    pub fn likes(&self) -> Vec<Like> {
        let liked = self.latest.iter().filter(|(_, state)| state.strength > 0.0);
        let like = |((user, movie), state): (&(i64, i32), &State)| Like {
            user: *user,
            movie: *movie,
            strength: state.strength,
            at: state.at,
        };
        let mut likes: Vec<Like> = liked.map(like).collect();
        likes.sort_unstable_by_key(|like| (like.user, like.movie));
        likes
    }

    /// How many pairs of user and movie there are.
    pub fn len(&self) -> usize {
        self.latest.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.latest.is_empty()
    }

    /// What has changed since [`Self::mark_trained`].
    pub fn changes(&self) -> usize {
        self.changes
    }

    /// A model has been trained on what is here now, or on what was here before `changes`.
    pub fn mark_trained(&mut self, changes: usize) {
        self.changes = changes;
    }

    fn keeps(&self, user: i64) -> bool {
        is_sampled(user, self.sampling)
    }
}

fn is_sampled(user: i64, sampling: u32) -> bool {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(user).trailing_zeros() >= sampling
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user_id: i64, movie_id: i32, kind: &str, value: Option<f64>, occurred_at: i64) -> FeedbackEntry {
        FeedbackEntry { user_id, movie_id, kind: kind.into(), value, occurred_at }
    }

    fn log(entries: &[FeedbackEntry]) -> FeedbackLog {
        let mut log = FeedbackLog::new(1_000);
        entries.iter().for_each(|entry| log.apply(entry));
        log
    }

    fn liked(log: &FeedbackLog) -> Vec<(i64, i32)> {
        log.likes().iter().map(|like| (like.user, like.movie)).collect()
    }

    #[test]
    fn the_latest_feedback_counts_whenever_it_comes() {
        let mut entries =
            vec![entry(1, 5, "like", None, 10), entry(1, 5, "dislike", None, 20), entry(1, 6, "like", None, 10)];
        assert_eq!(liked(&log(&entries)), [(1, 6)]);
        entries.reverse();
        assert_eq!(liked(&log(&entries)), [(1, 6)]);
        entries.push(entry(1, 5, "rating", Some(7.0), 21));
        assert_eq!(liked(&log(&entries)), [(1, 5), (1, 6)]);
    }

    #[test]
    fn each_kind_says_whether_the_user_likes_the_movie() {
        let kinds = [
            ("like", None, true),
            ("watched", None, true),
            ("dislike", None, false),
            ("abandoned", None, false),
            ("rating", Some(5.5), false),
            ("rating", Some(7.0), true),
            ("rating", None, false),
            ("watchlist", None, false),
            ("a kind of a newer release", None, false),
        ];
        for (kind, value, expected) in kinds {
            assert_eq!(liked(&log(&[entry(1, 5, kind, value, 1)])).len(), usize::from(expected), "{kind} {value:?}");
        }
        // A watchlist entry does not undo a like.
        assert_eq!(liked(&log(&[entry(1, 5, "like", None, 1), entry(1, 5, "watchlist", None, 2)])), [(1, 5)]);
    }

    #[test]
    fn what_is_read_twice_is_no_change() {
        let mut log = log(&[entry(1, 5, "like", None, 10), entry(2, 5, "like", None, 10)]);
        assert_eq!(log.changes(), 2);
        log.mark_trained(0);
        log.apply(&entry(1, 5, "like", None, 10));
        assert_eq!(log.changes(), 0);
        log.apply(&entry(1, 5, "like", None, 11));
        assert_eq!(log.changes(), 1);
    }

    #[test]
    fn beyond_its_capacity_it_keeps_all_feedback_of_a_part_of_the_users() {
        let mut log = FeedbackLog::new(100);
        let apply_all = |log: &mut FeedbackLog| {
            for user in 0..100 {
                (0..10).for_each(|movie| log.apply(&entry(user, movie, "like", None, 1)));
            }
        };
        apply_all(&mut log);
        // Whoever is in the sample and came before it was drawn comes again with a second reading.
        apply_all(&mut log);
        assert!(!log.is_empty() && log.len() <= 100, "{}", log.len());
        let likes = log.likes();
        assert!(likes.chunk_by(|a, b| a.user == b.user).all(|of_user| of_user.len() == 10), "{likes:?}");
    }
}

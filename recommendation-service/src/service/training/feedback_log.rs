//! What users liked, brought up to date by increments, within bounds of memory.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use crate::{
    models::feedback::{FeedbackKind, FeedbackSettings},
    service::model::training::Opinion,
};

/// What a user did with a movie.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedbackEntry {
    /// The user's id.
    pub user_id: i64,
    /// The movie's id.
    pub movie_id: i32,
    /// What it was.
    pub kind: FeedbackKind,
    /// When, in seconds since 1970.
    pub occurred_at: i64,
    /// The list that it follows from, as far as the client says.
    pub recommendation_id: Option<String>,
}

/// The latest feedback of each user about each movie.
///
/// When there is more than fits, a sample of the users is kept, by a hash of their ids: half of them, then a quarter, and
/// so on. The model needs many users, not all.
#[derive(Debug)]
pub struct FeedbackLog {
    settings: FeedbackSettings,
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
    /// Room for the feedback of users about `capacity` pairs of user and movie, each kind of which says what `settings` say.
    pub fn new(capacity: usize, settings: FeedbackSettings) -> Self {
        Self { settings, latest: HashMap::new(), capacity, sampling: 0, changes: 0 }
    }

    /// Takes an entry. The later one counts; of two at the same time, the one that came last.
    pub fn apply(&mut self, entry: &FeedbackEntry) {
        let strength = self.settings.strength_at_first(entry.kind) as f32;
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

    /// What the users think now: by user, then by movie.
    pub fn opinions(&self) -> Vec<Opinion> {
        let opinion = |((user, movie), state): (&(i64, i32), &State)| Opinion {
            user: *user,
            movie: *movie,
            strength: state.strength,
            at: state.at,
        };
        let mut opinions: Vec<Opinion> = self.latest.iter().map(opinion).collect();
        opinions.sort_unstable_by_key(|opinion| (opinion.user, opinion.movie));
        opinions
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
    use FeedbackKind::{Abandoned, Dislike, Like, Rating, Watched};

    use super::*;

    fn entry(user_id: i64, movie_id: i32, kind: FeedbackKind, occurred_at: i64) -> FeedbackEntry {
        FeedbackEntry { user_id, movie_id, kind, occurred_at, recommendation_id: None }
    }

    fn log(entries: &[FeedbackEntry]) -> FeedbackLog {
        let mut log = FeedbackLog::new(1_000, FeedbackSettings::default());
        entries.iter().for_each(|entry| log.apply(entry));
        log
    }

    fn liked(log: &FeedbackLog) -> Vec<(i64, i32)> {
        let opinions = log.opinions();
        opinions.iter().filter(|opinion| opinion.strength > 0.0).map(|like| (like.user, like.movie)).collect()
    }

    #[test]
    fn the_latest_feedback_counts_whenever_it_comes() {
        let mut entries = vec![entry(1, 5, Like, 10), entry(1, 5, Dislike, 20), entry(1, 6, Like, 10)];
        assert_eq!(liked(&log(&entries)), [(1, 6)]);
        entries.reverse();
        assert_eq!(liked(&log(&entries)), [(1, 6)]);
        entries.push(entry(1, 5, Rating(7.0), 21));
        assert_eq!(liked(&log(&entries)), [(1, 5), (1, 6)]);
    }

    #[test]
    fn each_kind_says_what_the_settings_say() {
        let strength = |kind: FeedbackKind, settings: FeedbackSettings| {
            let mut log = FeedbackLog::new(10, settings);
            log.apply(&entry(1, 5, kind, 1));
            log.opinions()[0].strength
        };
        for (kind, expected) in [(Like, 1.0), (Watched, 0.3), (Dislike, -1.0), (Abandoned, -0.4), (Rating(5.5), 0.0)] {
            assert_eq!(strength(kind, FeedbackSettings::default()), expected, "{kind:?}");
        }
        let settings = FeedbackSettings { watched: -0.5, rating: 0.5, ..FeedbackSettings::default() };
        assert_eq!([Watched, Rating(10.0)].map(|kind| strength(kind, settings)), [-0.5, 0.5]);
    }

    #[test]
    fn what_is_read_twice_is_no_change() {
        let mut log = log(&[entry(1, 5, Like, 10), entry(2, 5, Like, 10)]);
        assert_eq!(log.changes(), 2);
        log.mark_trained(0);
        log.apply(&entry(1, 5, Like, 10));
        assert_eq!(log.changes(), 0);
        log.apply(&entry(1, 5, Like, 11));
        assert_eq!(log.changes(), 1);
    }

    #[test]
    fn beyond_its_capacity_it_keeps_all_feedback_of_a_part_of_the_users() {
        let mut log = FeedbackLog::new(100, FeedbackSettings::default());
        let apply_all = |log: &mut FeedbackLog| {
            for user in 0..100 {
                (0..10).for_each(|movie| log.apply(&entry(user, movie, Like, 1)));
            }
        };
        apply_all(&mut log);
        // Whoever is in the sample and came before it was drawn comes again with a second reading.
        apply_all(&mut log);
        assert!(!log.is_empty() && log.len() <= 100, "{}", log.len());
        let opinions = log.opinions();
        assert!(opinions.chunk_by(|a, b| a.user == b.user).all(|of_user| of_user.len() == 10), "{opinions:?}");
    }
}

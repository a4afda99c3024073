//! What recommendations need to know of a user.

use std::{cmp::Reverse, collections::HashSet};

use chrono::{DateTime, Utc};

use super::interaction::InteractionType;

/// Most entries of feedback in a profile.
const MAX_FEEDBACK: usize = 2000;

/// Preferences and what the user did, in one.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The user.
    pub user_id: i64,
    /// The revision of all that is here.
    pub revision: String,
    /// Names of genres, in the order in which they were sent.
    pub preferred_genres: Vec<String>,
    /// `en` unless another was set.
    pub preferred_language: String,
    /// Movies rated below it are not to be recommended.
    pub min_rating: f64,
    /// What the user did.
    pub history: History,
}

/// One interaction as it was recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// The number of the record.
    pub id: i64,
    /// The movie.
    pub movie_id: i32,
    /// What the user did with it.
    pub kind: InteractionType,
    /// The points of a rating.
    pub value: Option<f32>,
    /// When the user did it.
    pub occurred_at: DateTime<Utc>,
}

/// What a user did, movie by movie.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The latest feedback on each movie, the newest first; at most 2,000.
    pub feedback: Vec<Event>,
    /// Movies with which the user did nothing after having put them on the watchlist: each once, by id.
    pub watchlist: Vec<i32>,
    /// Movies on which there is feedback: each once, by id.
    pub seen_movie_ids: Vec<i32>,
}

impl History {
    /// Reads it from all interactions of a user, in any order. Of two at the same time the one with the higher id is later.
    pub fn from_events(mut events: Vec<Event>) -> Self {
        events.sort_unstable_by_key(|event| Reverse((event.occurred_at, event.id)));
        let (mut touched, mut seen) = (HashSet::new(), HashSet::new());
        let mut history = Self::default();
        for event in events {
            let is_latest = touched.insert(event.movie_id);
            if !event.kind.is_feedback() {
                if is_latest {
                    history.watchlist.push(event.movie_id);
                }
            } else if seen.insert(event.movie_id) {
                history.seen_movie_ids.push(event.movie_id);
                if history.feedback.len() < MAX_FEEDBACK {
                    history.feedback.push(event);
                }
            }
        }
        history.watchlist.sort_unstable();
        history.seen_movie_ids.sort_unstable();
        history
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{InteractionType::*, *};

    fn event(id: i64, movie_id: i32, kind: InteractionType, seconds: i64) -> Event {
        let value = (kind == Rating).then_some(8.5);
        Event { id, movie_id, kind, value, occurred_at: DateTime::from_timestamp(seconds, 0).expect("a time") }
    }

    fn kinds(history: &History) -> Vec<(i32, InteractionType)> {
        history.feedback.iter().map(|event| (event.movie_id, event.kind)).collect()
    }

    #[test]
    fn the_latest_feedback_on_a_movie_counts_whenever_it_was_recorded() {
        let history = History::from_events(vec![
            event(1, 7, Like, 100),
            event(2, 7, Rating, 50),
            event(3, 8, Dislike, 60),
            event(4, 8, Abandoned, 60),
            event(5, 9, Watched, 70),
        ]);
        assert_eq!(kinds(&history), [(7, Like), (9, Watched), (8, Abandoned)]);
        assert_eq!(history.seen_movie_ids, [7, 8, 9]);
    }

    #[test]
    fn a_movie_is_on_the_watchlist_until_something_is_done_with_it() {
        let history = History::from_events(vec![
            event(1, 9, Watchlist, 10),
            event(2, 7, Watchlist, 10),
            event(3, 7, Watched, 20),
            event(4, 8, Watched, 10),
            event(5, 8, Watchlist, 20),
        ]);
        assert_eq!(history.watchlist, [8, 9]);
        assert_eq!(history.seen_movie_ids, [7, 8], "one that was put there again is still a seen one");
        assert_eq!(kinds(&history), [(7, Watched), (8, Watched)]);
    }

    #[test]
    fn the_newest_2000_are_feedback_and_all_are_seen() {
        let events = (1..=2500).map(|number| event(number, number as i32, Like, number)).collect();
        let history = History::from_events(events);
        let movies: Vec<i32> = history.feedback.iter().map(|event| event.movie_id).collect();
        assert_eq!(movies, (501..=2500).rev().collect::<Vec<_>>());
        assert_eq!(history.seen_movie_ids, (1..=2500).collect::<Vec<_>>());
    }

    /// Each movie's latest, as one would look for it by hand.
    fn latest(events: &[Event], counts: impl Fn(&Event) -> bool) -> BTreeMap<i32, &Event> {
        let mut latest: BTreeMap<i32, &Event> = BTreeMap::new();
        for event in events.iter().filter(|event| counts(event)) {
            let entry = latest.entry(event.movie_id).or_insert(event);
            if (event.occurred_at, event.id) > (entry.occurred_at, entry.id) {
                *entry = event;
            }
        }
        latest
    }

    proptest! {
        #[test]
        fn it_is_what_one_finds_movie_by_movie_in_whatever_order_events_come(
            made in prop::collection::vec((1..6_i32, 0..6_usize, 0..5_i64), 0..40),
            by in any::<u64>(),
        ) {
            let types = [Like, Dislike, Watchlist, Watched, Rating, Abandoned];
            let events: Vec<Event> =
                made.iter().zip(1..).map(|((movie, kind, time), id)| event(id, *movie, types[*kind], *time)).collect();
            let mut shuffled = events.clone();
            shuffled.sort_by_key(|event| (event.id as u64).wrapping_mul(by | 1).rotate_left(17));
            let history = History::from_events(shuffled);

            let feedback = latest(&events, |event| event.kind != Watchlist);
            let mut found = history.feedback.clone();
            prop_assert!(found.is_sorted_by_key(|event| Reverse((event.occurred_at, event.id))));
            found.sort_by_key(|event| event.movie_id);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), feedback.values().copied().collect::<Vec<_>>());
            prop_assert_eq!(&history.seen_movie_ids, &feedback.keys().copied().collect::<Vec<_>>());
            let waiting = latest(&events, |_| true).into_values().filter(|event| event.kind == Watchlist);
            prop_assert_eq!(history.watchlist, waiting.map(|event| event.movie_id).collect::<Vec<_>>());
        }
    }
}

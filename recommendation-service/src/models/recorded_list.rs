//! Lists as they are recorded, and what changed from one to another.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::user_id::UserId;

/// A list with what it was made by.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedList {
    /// Its `recommendation_id`.
    pub id: String,
    /// For whom; `None` for a visitor or a group.
    pub user: Option<UserId>,
    /// When, in whole microseconds, as PostgreSQL keeps it.
    pub generated_at: DateTime<Utc>,
    /// The name of the strategy; for a group `group_` and how the members' scores became one.
    pub strategy: String,
    /// The arm of the experiment that ran, if one did.
    pub arm: Option<Arm>,
    /// The version of the collaborative model, `""` without one.
    pub model_version: String,
    /// Whether the user's profile could not be had.
    pub degraded: bool,
    /// The place of the first movie, from 1: pages after the first one start further down.
    pub first_place: i32,
    /// The types of the rules that counted, with their weights; none for a group, whose members have rules of their own.
    pub rules: Vec<(String, f64)>,
    /// Best first.
    pub items: Vec<RecordedItem>,
}

/// One side of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// The experiment's name.
    pub experiment: String,
    /// The set of rules.
    pub variant: String,
}

/// A movie of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedItem {
    /// Its id.
    pub movie_id: i32,
    /// Its score.
    pub score: f64,
    /// Each rule's part of the score, in the order of the rules; they sum to it.
    pub contributions: Vec<f64>,
}

impl RecordedList {
    /// Whether a text may be the id of a list: 32 hexadecimal digits.
    pub fn is_id(text: &str) -> bool {
        text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    }

    /// The movies with their places.
    pub fn places(&self) -> impl Iterator<Item = (i32, &RecordedItem)> {
        (self.first_place..).zip(&self.items)
    }
}

/// What changed from one list to another.
#[derive(Debug, Default, PartialEq)]
pub struct ListDifference {
    /// Movies of the second list only, with their places.
    pub entered: Vec<(i32, i32)>,
    /// Movies of the first list only, with their places.
    pub left: Vec<(i32, i32)>,
    /// Movies of both with another place, and the place before and after.
    pub moved: Vec<(i32, i32, i32)>,
    /// How many movies have the place that they had.
    pub unchanged: usize,
}

impl ListDifference {
    /// From `before` to `after`; movies are in the order of `after`, those that left in the order of `before`.
    pub fn between(before: &RecordedList, after: &RecordedList) -> Self {
        let places = |list: &RecordedList| -> HashMap<i32, i32> {
            list.places().map(|(place, item)| (item.movie_id, place)).collect()
        };
        let (old_places, new_places) = (places(before), places(after));
        let mut difference = Self::default();
        for (place, RecordedItem { movie_id, .. }) in after.places() {
            match old_places.get(movie_id) {
                None => difference.entered.push((*movie_id, place)),
                Some(old) if *old == place => difference.unchanged += 1,
                Some(old) => difference.moved.push((*movie_id, *old, place)),
            }
        }
        let left = before.places().filter(|(_, item)| !new_places.contains_key(&item.movie_id));
        difference.left = left.map(|(place, item)| (item.movie_id, place)).collect();
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(first_place: i32, movies: &[i32]) -> RecordedList {
        let item = |movie_id: &i32| RecordedItem { movie_id: *movie_id, score: 0.5, contributions: Vec::new() };
        RecordedList {
            id: String::new(),
            user: None,
            generated_at: DateTime::UNIX_EPOCH,
            strategy: String::new(),
            arm: None,
            model_version: String::new(),
            degraded: false,
            first_place,
            rules: Vec::new(),
            items: movies.iter().map(item).collect(),
        }
    }

    #[test]
    fn a_difference_names_what_entered_left_and_moved_with_its_places() {
        let difference = ListDifference::between(&list(1, &[7, 8, 9, 5]), &list(1, &[7, 9, 4, 8]));
        assert_eq!(
            difference,
            ListDifference {
                entered: vec![(4, 3)],
                left: vec![(5, 4)],
                moved: vec![(9, 3, 2), (8, 2, 4)],
                unchanged: 1,
            }
        );
    }

    #[test]
    fn pages_are_compared_by_the_places_of_the_whole_list() {
        let difference = ListDifference::between(&list(1, &[1, 2]), &list(2, &[2, 3]));
        assert_eq!((difference.unchanged, difference.entered), (1, vec![(3, 3)]));
        assert_eq!((difference.left, difference.moved), (vec![(1, 1)], vec![]));
    }
}

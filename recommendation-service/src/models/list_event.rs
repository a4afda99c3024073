//! What people did with the movies of a list, and what that comes to.

use std::{collections::BTreeMap, str::FromStr};

use chrono::{DateTime, Utc};

use super::{
    recorded_list::{Arm, RecordedList},
    user_id::UserId,
};

/// What happened to a movie of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// It was shown.
    Impression,
    /// It was opened.
    Click,
    /// It was started.
    Play,
}

impl FromStr for EventType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "impression" => Ok(Self::Impression),
            "click" => Ok(Self::Click),
            "play" => Ok(Self::Play),
            _ => Err(()),
        }
    }
}

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListEvent {
    /// What happened.
    pub event_type: EventType,
    /// To which movie.
    pub movie_id: i32,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Events of one list, as they are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct EventBatch {
    /// The list's id.
    pub list: String,
    /// The user who did it, if that is known.
    pub user: Option<UserId>,
    /// At least one.
    pub events: Vec<ListEvent>,
}

/// What happened to one movie of a list; of events of one type the first one that was sent counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The movie.
    pub movie_id: i32,
    /// Its place in the whole list, from 1.
    pub place: i32,
    /// The rule with the largest contribution to its score; [`NO_RULE`] when none has one above 0.
    pub rule: String,
    /// When it was shown.
    pub impression_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub click_at: Option<DateTime<Utc>>,
    /// When it was started.
    pub play_at: Option<DateTime<Utc>>,
}

/// Stands for the rule of a movie that no rule speaks for.
pub const NO_RULE: &str = "none";

/// The events of a list by movie, in the order of their ids.
///
/// # Errors
/// The index of the first event whose movie is not in the list.
pub fn outcomes(list: &RecordedList, events: &[ListEvent]) -> Result<Vec<Outcome>, usize> {
    let mut outcomes: BTreeMap<i32, Outcome> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let (place, item) = list.places().find(|(_, item)| item.movie_id == event.movie_id).ok_or(index)?;
        let outcome = outcomes.entry(event.movie_id).or_insert_with(|| Outcome {
            movie_id: event.movie_id,
            place,
            rule: top_rule(&list.rules, &item.contributions),
            impression_at: None,
            click_at: None,
            play_at: None,
        });
        let time = match event.event_type {
            EventType::Impression => &mut outcome.impression_at,
            EventType::Click => &mut outcome.click_at,
            EventType::Play => &mut outcome.play_at,
        };
        time.get_or_insert(event.occurred_at);
    }
    Ok(outcomes.into_values().collect())
}

/// The rule with the largest contribution above 0; the first of equal ones.
fn top_rule(rules: &[(String, f64)], contributions: &[f64]) -> String {
    let parts = rules.iter().zip(contributions).filter(|(_, part)| **part > 0.0);
    let top = parts.reduce(|top, next| if next.1 > top.1 { next } else { top });
    top.map_or(NO_RULE, |((rule_type, _), _)| rule_type).to_owned()
}

/// What one group of movies came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportLine {
    /// What the group has in common.
    pub group: ReportGroup,
    /// How many were shown.
    pub impressions: i64,
    /// How many were opened.
    pub clicks: i64,
    /// How many were started.
    pub plays: i64,
    /// How many of those shown were opened.
    pub shown_and_clicked: i64,
    /// How many of those shown were started.
    pub shown_and_played: i64,
}

/// What the movies of a line have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportGroup {
    /// Nothing: all of them.
    Total,
    /// The rule with the largest contribution.
    Rule(String),
    /// The strategy of the list.
    Strategy(String),
    /// The place in the list.
    Place(i32),
    /// The experiment and the variant, or no experiment.
    Variant(Option<Arm>),
}

impl ReportLine {
    /// The share of those shown that was opened; `None` when none was shown.
    pub fn click_through(&self) -> Option<f64> {
        share(self.shown_and_clicked, self.impressions)
    }

    /// The share of those shown that was started; `None` when none was shown.
    pub fn conversion(&self) -> Option<f64> {
        share(self.shown_and_played, self.impressions)
    }
}

/// To four decimals.
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::recorded_list::RecordedItem;

    fn list() -> RecordedList {
        let item = |movie_id, contributions: &[f64]| RecordedItem {
            movie_id,
            score: contributions.iter().sum(),
            contributions: contributions.to_vec(),
        };
        RecordedList {
            id: String::new(),
            user: None,
            generated_at: DateTime::UNIX_EPOCH,
            strategy: "popular".into(),
            arm: None,
            model_version: String::new(),
            degraded: false,
            first_place: 11,
            rules: vec![("popularity".into(), 0.4), ("recency".into(), 0.3)],
            items: vec![item(7, &[0.1, 0.3]), item(8, &[0.2, 0.2]), item(9, &[0.0, -0.1])],
        }
    }

    fn event(event_type: EventType, movie_id: i32, second: i64) -> ListEvent {
        ListEvent { event_type, movie_id, occurred_at: DateTime::from_timestamp(second, 0).expect("a time") }
    }

    #[test]
    fn events_of_a_movie_come_together_and_the_first_of_a_type_counts() {
        let events = [
            event(EventType::Click, 8, 3),
            event(EventType::Impression, 7, 1),
            event(EventType::Click, 8, 2),
            event(EventType::Play, 8, 4),
        ];
        let outcomes = outcomes(&list(), &events).expect("movies of the list");
        let times: Vec<_> = outcomes
            .iter()
            .map(|outcome| {
                let seconds = |time: Option<DateTime<Utc>>| time.map(|time| time.timestamp());
                let times = [outcome.impression_at, outcome.click_at, outcome.play_at].map(seconds);
                (outcome.movie_id, outcome.place, times)
            })
            .collect();
        assert_eq!(times, [(7, 11, [Some(1), None, None]), (8, 12, [None, Some(3), Some(4)])]);
    }

    #[test]
    fn the_rule_of_a_movie_is_the_one_with_the_largest_contribution_above_0() {
        let events = [7, 8, 9].map(|movie_id| event(EventType::Click, movie_id, 1));
        let rules: Vec<_> =
            outcomes(&list(), &events).expect("movies of the list").into_iter().map(|o| o.rule).collect();
        assert_eq!(rules, ["recency", "popularity", NO_RULE]);
    }

    #[test]
    fn a_movie_that_is_not_in_the_list_is_named_by_the_place_of_its_event() {
        assert_eq!(outcomes(&list(), &[event(EventType::Click, 7, 1), event(EventType::Play, 77, 1)]), Err(1));
    }

    #[test]
    fn shares_are_of_what_was_shown() {
        let line = ReportLine {
            group: ReportGroup::Total,
            impressions: 3,
            clicks: 5,
            plays: 2,
            shown_and_clicked: 2,
            shown_and_played: 0,
        };
        assert_eq!((line.click_through(), line.conversion()), (Some(0.6667), Some(0.0)));
        assert_eq!(ReportLine { impressions: 0, ..line }.click_through(), None);
    }
}

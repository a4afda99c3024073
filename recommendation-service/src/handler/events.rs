//! What people did with the movies of a list.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    request_validation::{body::JsonBody, number},
    responses::{BodyErrors, DatabaseErrors, EventErrors},
};
use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::{
        list_event::{EventBatch, ListEvent},
        user_id::UserId,
    },
};

/// Most events in one request.
const MAX_EVENTS: usize = 100;
/// How far clocks may be ahead of this one.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// What happened to movies of a list.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Events {
    /// 1 to 100 events.
    #[schema(required, value_type = Vec<Event>, min_items = 1, max_items = 100)]
    events: Option<Vec<Event>>,
    /// The user; a list that was made for another one is not found then.
    #[serde(default, deserialize_with = "number::integer")]
    #[schema(value_type = i64, required = false, nullable, minimum = 1, example = 1)]
    user_id: Option<i64>,
}

/// What happened to a movie.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Event {
    /// `impression` (it was shown), `click` (it was opened) or `play` (it was started).
    #[serde(rename = "type")]
    #[schema(required, value_type = String, pattern = "^(impression|click|play)$", example = "click")]
    event_type: Option<String>,
    /// A movie of the list.
    #[serde(default, deserialize_with = "number::integer")]
    #[schema(required, value_type = i32, minimum = 1, example = 1)]
    movie_id: Option<i64>,
    /// When, in RFC 3339: from 1888 to a minute from now. By default now.
    #[schema(value_type = String, format = DateTime, required = false, nullable, example = "2026-11-22T18:00:00Z")]
    occurred_at: Option<String>,
}

/// How many events there are now.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsAccepted {
    /// The list.
    #[schema(example = "5f2c0d1e9a7b4c3d8e6f0a1b2c3d4e5f")]
    recommendation_id: String,
    /// How many events were in the request; those that were known already change nothing.
    #[schema(example = 1, minimum = 1, maximum = 100)]
    accepted: usize,
}

impl Events {
    fn batch(self, list: String, now: DateTime<Utc>) -> Result<EventBatch, ApiError> {
        let events = self.events.unwrap_or_default();
        if !(1..=MAX_EVENTS).contains(&events.len()) {
            return Err(invalid("events".to_owned(), "1 to 100 events"));
        }
        let user = self.user_id.map(UserId::try_from).transpose();
        let user = user.map_err(|_| invalid("user_id".to_owned(), "a number above 0"))?;
        let events = events.into_iter().enumerate().map(|(index, event)| event.checked(index, now));
        Ok(EventBatch { list, user, events: events.collect::<Result<_, _>>()? })
    }
}

impl Event {
    fn checked(self, index: usize, now: DateTime<Utc>) -> Result<ListEvent, ApiError> {
        let invalid = |name: &str, expected| invalid(format!("events[{index}].{name}"), expected);
        let event_type = self.event_type.and_then(|text| text.parse().ok());
        let movie_id = self.movie_id.and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 0);
        let occurred_at = match self.occurred_at {
            None => now,
            Some(text) => occurred_at(&text, now)
                .ok_or_else(|| invalid("occurred_at", "a time in RFC 3339, not before 1888 and not in the future"))?,
        };
        Ok(ListEvent {
            event_type: event_type.ok_or_else(|| invalid("type", "impression, click or play"))?,
            movie_id: movie_id.ok_or_else(|| invalid("movie_id", "the id of a movie of the list"))?,
            occurred_at,
        })
    }
}

/// As user-preference-service reads the times of interactions.
fn occurred_at(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let first_film = NaiveDate::from_ymd_opt(1888, 1, 1)?.and_time(NaiveTime::MIN).and_utc();
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (first_film..=now + CLOCK_TOLERANCE).contains(&time).then_some(time)
}

fn invalid(field: String, expected: &str) -> ApiError {
    ApiError::bad_request(ErrorCode::InvalidField, format!("invalid {field}, expected {expected}")).field(field)
}

/// Record what people did with recommendations
///
/// An event of one type counts once for each movie of a list, however often it is sent.
#[utoipa::path(
    post,
    path = "/api/v1/recommendations/{recommendation_id}/events",
    operation_id = "recordRecommendationEvents",
    tag = "recommendations",
    params(("recommendation_id" = String, Path, description = "The list's `recommendation_id`.")),
    request_body = Events,
    responses((status = 200, description = "All of them are recorded", body = EventsAccepted), EventErrors, BodyErrors, DatabaseErrors)
)]
pub async fn record_recommendation_events(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    JsonBody(body): JsonBody<Events>,
) -> Result<Json<EventsAccepted>, ApiError> {
    // What is not UTF-8 is no list's id.
    let recommendation_id = path.map_or_else(|_| String::new(), |Path(id)| id);
    let batch = body.batch(recommendation_id.clone(), Utc::now())?;
    let accepted = batch.events.len();
    app.list_events.store(batch).await?;
    Ok(Json(EventsAccepted { recommendation_id, accepted }))
}

#[cfg(test)]
mod tests {
    use super::{super::request_validation::body::parse_json, *};
    use crate::models::list_event::EventType;

    fn batch(body: &str) -> Result<EventBatch, ApiError> {
        parse_json::<Events>(body.as_bytes())?.batch("list".into(), DateTime::from_timestamp(1000, 0).expect("a time"))
    }

    #[test]
    fn events_are_read_and_happen_now_unless_they_say_otherwise() {
        let body = r#"{"user_id":7,"events":[{"type":"play","movie_id":3.0},
            {"type":"click","movie_id":4,"occurred_at":"1970-01-01T01:00:00+01:00","position":1}]}"#;
        let time = |second| DateTime::from_timestamp(second, 0).expect("a time");
        let batch = batch(body).expect("valid");
        assert_eq!(batch.user.map(UserId::get), Some(7));
        assert_eq!(
            batch.events,
            [
                ListEvent { event_type: EventType::Play, movie_id: 3, occurred_at: time(1000) },
                ListEvent { event_type: EventType::Click, movie_id: 4, occurred_at: time(0) },
            ]
        );
    }

    #[test]
    fn a_wrong_value_is_400_naming_the_field() {
        let many = format!("[{}]", vec![r#"{"type":"click","movie_id":1}"#; 101].join(","));
        for (body, field) in [
            ("{}".to_owned(), "events"),
            (r#"{"events":[]}"#.to_owned(), "events"),
            (format!(r#"{{"events":{many}}}"#), "events"),
            (r#"{"events":[{"type":"click","movie_id":1}],"user_id":0}"#.to_owned(), "user_id"),
            (r#"{"events":[{"type":"click","movie_id":1},{"movie_id":1}]}"#.to_owned(), "events[1].type"),
            (r#"{"events":[{"type":"Click","movie_id":1}]}"#.to_owned(), "events[0].type"),
            (r#"{"events":[{"type":"click"}]}"#.to_owned(), "events[0].movie_id"),
            (r#"{"events":[{"type":"click","movie_id":0}]}"#.to_owned(), "events[0].movie_id"),
            (r#"{"events":[{"type":"click","movie_id":99999999999}]}"#.to_owned(), "events[0].movie_id"),
        ] {
            let error = batch(&body).expect_err(&body).into_body();
            assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidField, Some(field)), "{body}");
        }
        for time in ["yesterday", "1887-12-31T23:59:59Z", "1970-01-01T00:17:41Z", ""] {
            let body = format!(r#"{{"events":[{{"type":"click","movie_id":1,"occurred_at":"{time}"}}]}}"#);
            let error = batch(&body).expect_err(time).into_body();
            assert_eq!(error.field.as_deref(), Some("events[0].occurred_at"), "{time}");
        }
        for body in [r#"{"events":{}}"#, r#"{"events":[{"type":1,"movie_id":1}]}"#, r#"{"events":[null]}"#, "[]"] {
            assert_eq!(batch(body).expect_err(body).into_body().code, ErrorCode::InvalidRequestBody, "{body}");
        }
    }
}

//! What `POST /api/v1/users/{id}/interactions` takes besides a movie and a type.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, TestResponse, without_times};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;
const PATH: &str = "/api/v1/users/1/interactions";

async fn record(app: &TestApp, fields: &str) -> TestResponse {
    app.post(PATH, format!(r#"{{"movie_id":42,{fields}}}"#)).await
}

async fn refusal(app: &TestApp, fields: &str) -> (u16, String, Value) {
    let reply = record(app, fields).await;
    let (status, text) = reply.refusal();
    (status, text, reply.json()["field"].clone())
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_rating_is_shown_with_its_value_its_time_and_its_list(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let fields = r#""interaction_type":"rating","value":8.5,"occurred_at":"2020-02-29T23:30:00.5+01:00","recommendation_id":"list-1""#;
    let reply = record(&app, fields).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["occurred_at"], "2020-02-29T22:30:00.500Z");
    insta::assert_snapshot!(without_times(&reply.text()), @r#"{"id":1,"user_id":1,"movie_id":42,"interaction_type":"rating","created_at":"[time]","value":8.5,"occurred_at":"[time]","recommendation_id":"list-1"}"#);
    assert_eq!(app.get(PATH).await.json()["interactions"], json!([reply.json()]));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn what_is_left_out_or_null_is_not_shown_and_occurred_when_it_was_recorded(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for fields in [
        r#""interaction_type":"abandoned""#,
        r#""interaction_type":"like","value":null,"occurred_at":null,"recommendation_id":null"#,
    ] {
        let reply = record(&app, fields).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let body = reply.json();
        assert_eq!(body["occurred_at"], body["created_at"], "{fields}");
        assert_eq!((body.get("value"), body.get("recommendation_id")), (None, None), "{fields}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_rating_needs_a_value_in_steps_of_a_half_and_nothing_else_has_one(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for value in ["0.5", "1", "5.0", "7.5e0", "10"] {
        let reply = record(&app, &format!(r#""interaction_type":"rating","value":{value}"#)).await;
        assert_eq!(reply.json()["value"].as_f64(), value.parse().ok(), "{}", reply.text());
    }
    let is_refused = async |fields: &str, text: &str| {
        assert_eq!(refusal(&app, fields).await, (400, text.to_owned(), json!("value")), "{fields}");
    };
    for value in ["0", "-0", "0.25", "10.5", "-1", "7.49999", "1e400", "99999999999999999999"] {
        let fields = format!(r#""interaction_type":"rating","value":{value}"#);
        is_refused(&fields, "value must be a number from 0.5 to 10 in steps of 0.5").await;
    }
    for fields in [r#""interaction_type":"rating""#, r#""interaction_type":"rating","value":null"#] {
        is_refused(fields, "value is required for a rating").await;
    }
    for kind in ["like", "dislike", "watchlist", "watched", "abandoned"] {
        is_refused(&format!(r#""interaction_type":"{kind}","value":5"#), "value is only for a rating").await;
    }
    for value in ["\"8\"", "true", "[8]", "{}"] {
        let fields = format!(r#""interaction_type":"rating","value":{value}"#);
        is_refused(&fields, "invalid request body").await;
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_time_that_cannot_be_is_refused_by_name(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let after = |seconds| (Utc::now() + TimeDelta::seconds(seconds)).to_rfc3339();
    for (time, text) in [
        (after(90), "occurred_at must not be in the future"),
        ("1887-12-31T23:59:59Z".to_owned(), "occurred_at must not be before 1888-01-01"),
        ("2026-11-22".to_owned(), "occurred_at must be a time in RFC 3339, such as 2026-11-22T18:00:00Z"),
        (String::new(), "occurred_at must be a time in RFC 3339, such as 2026-11-22T18:00:00Z"),
        (
            "2026-11-22T18:00:00Z\\u0000".to_owned(),
            "occurred_at must be a time in RFC 3339, such as 2026-11-22T18:00:00Z",
        ),
    ] {
        let fields = format!(r#""interaction_type":"like","occurred_at":"{time}""#);
        assert_eq!(refusal(&app, &fields).await, (400, text.to_owned(), json!("occurred_at")), "{time}");
    }
    let number = r#""interaction_type":"like","occurred_at":1700000000"#;
    assert_eq!(refusal(&app, number).await, (400, "invalid request body".to_owned(), json!("occurred_at")));
    for time in [after(30), "1888-01-01T00:00:00Z".to_owned()] {
        let reply = record(&app, &format!(r#""interaction_type":"like","occurred_at":"{time}""#)).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let shown: DateTime<Utc> = reply.json()["occurred_at"].as_str().unwrap().parse().unwrap();
        let sent: DateTime<Utc> = time.parse().unwrap();
        assert_eq!(shown.timestamp_micros(), sent.timestamp_micros());
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_id_of_a_list_that_cannot_be_one_is_refused_by_name(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for (id, text) in [
        (String::new(), "recommendation_id must not be empty"),
        ("é".repeat(101), "recommendation_id must be at most 100 characters"),
        ("\\u0000".to_owned(), "recommendation_id must not contain a NUL character"),
    ] {
        let fields = format!(r#""interaction_type":"like","recommendation_id":"{id}""#);
        assert_eq!(refusal(&app, &fields).await, (400, text.to_owned(), json!("recommendation_id")), "{id}");
    }
    let longest = "é".repeat(100);
    let reply = record(&app, &format!(r#""interaction_type":"like","recommendation_id":"{longest}""#)).await;
    assert_eq!(reply.json()["recommendation_id"], longest);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_list_is_in_the_order_of_recording_not_of_occurrence(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for time in ["2020-01-01T00:00:00Z", "2010-01-01T00:00:00Z", "2015-01-01T00:00:00Z"] {
        record(&app, &format!(r#""interaction_type":"like","occurred_at":"{time}""#)).await;
    }
    let list = app.get(PATH).await.json();
    let years: Vec<&str> = list["interactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["occurred_at"].as_str().unwrap()[..4])
        .collect();
    assert_eq!(years, ["2015", "2010", "2020"]);
}

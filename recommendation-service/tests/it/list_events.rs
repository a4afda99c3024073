//! `POST /api/v1/recommendations/{recommendation_id}/events` and the report about them.

use axum::http::StatusCode;
use chrono::{Days, Utc};
use recommendation_service::{
    models::{list_event::Outcome, recorded_list::RecordedList},
    repository::{list_events, recorded_lists},
    service::list_retention::delete_old,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{
    list_history::recorded,
    support::{Catalogue, Peers, Profile, TestApp, TestResponse, database, eventually, settings},
};

const REPORT: &str = "/api/v1/recommendations/report";

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

fn id_of(list: &TestResponse) -> String {
    list.json()["recommendation_id"].as_str().expect("an id").to_owned()
}

async fn send(app: &TestApp, list: &str, body: Value) -> TestResponse {
    app.post(&format!("/api/v1/recommendations/{list}/events"), &body).await
}

async fn record(app: &TestApp, list: &str, events: &[(&str, i32)]) {
    let events: Vec<Value> = events.iter().map(|(kind, movie)| json!({"type": kind, "movie_id": movie})).collect();
    let response = send(app, list, json!({"events": events})).await;
    assert_eq!(response.status, StatusCode::OK, "{:?}", response.body);
    assert_eq!(response.json(), json!({"recommendation_id": list, "accepted": events.len()}));
}

/// Status, code and blamed field of an error.
fn error(response: &TestResponse) -> (u16, String, Value) {
    let json = response.json();
    (response.status.as_u16(), json["code"].as_str().expect("a code").to_owned(), json["field"].clone())
}

async fn report(app: &TestApp, query: &str) -> Value {
    let response = app.get(&format!("{REPORT}{query}")).await;
    assert_eq!(response.status, StatusCode::OK, "{:?}", response.body);
    response.json()
}

fn counts(impressions: i64, clicks: i64, plays: i64, click_through: Option<f64>, conversion: Option<f64>) -> Value {
    json!({
        "impressions": impressions, "clicks": clicks, "plays": plays,
        "click_through": click_through, "conversion": conversion,
    })
}

fn line(group: Value, counts: Value) -> Value {
    let (Value::Object(mut line), Value::Object(counts)) = (group, counts) else { panic!("objects") };
    line.extend(counts);
    line.into()
}

#[sqlx::test(migrations = "./migrations")]
async fn events_count_once_and_are_reported_by_rule_strategy_and_place(pool: PgPool) {
    let app = app(pool).await;
    app.peers.set_profile(1, Profile { genres: vec!["Drama"], ..Profile::default() });
    // Movies 3 (0.3 for its genre, 0.1 for its popularity) and 1 (0.4 for its popularity) among others.
    let list = app.recommend(1).await;
    let places = list.movies();
    let place = |movie| places.iter().position(|id| *id == movie).expect("in the list") + 1;
    let id = id_of(&list);
    for _ in 0..2 {
        record(&app, &id, &[("impression", 1), ("impression", 3), ("click", 3), ("click", 3), ("play", 3)]).await;
    }
    record(&app, &id, &[("click", 4)]).await;
    let visitor = app.post("/api/v1/recommendations", &json!({})).await;
    record(&app, &id_of(&visitor), &[("impression", 1), ("click", 1)]).await;

    let report = report(&app, "").await;
    assert_eq!(report["days"], 7);
    assert_eq!(report["total"], counts(3, 3, 1, Some(0.6667), Some(0.3333)));
    assert_eq!(
        report["by_rule"],
        json!([
            line(json!({"rule": "genre_match"}), counts(1, 1, 1, Some(1.0), Some(1.0))),
            line(json!({"rule": "none"}), counts(0, 1, 0, None, None)),
            line(json!({"rule": "popularity"}), counts(2, 1, 0, Some(0.5), Some(0.0))),
        ])
    );
    assert_eq!(
        report["by_strategy"],
        json!([
            line(json!({"strategy": "popular"}), counts(1, 1, 0, Some(1.0), Some(0.0))),
            line(json!({"strategy": "preferences_only"}), counts(2, 2, 1, Some(0.5), Some(0.5))),
        ])
    );
    let by_place = report["by_place"].as_array().unwrap();
    assert!(by_place.iter().any(|line| line["place"] == place(3) && line["plays"] == 1), "{by_place:?}");
    assert!(by_place.is_sorted_by_key(|line| line["place"].as_i64()));
    let without = line(json!({"experiment": null, "variant": null}), counts(3, 3, 1, Some(0.6667), Some(0.3333)));
    assert_eq!(report["by_variant"], json!([without]));
}

#[sqlx::test(migrations = "./migrations")]
async fn an_event_for_a_list_that_still_waits_to_be_written_is_accepted(pool: PgPool) {
    let app = app(pool).await;
    for _ in 0..20 {
        app.peers.set_profile(1, Profile::default());
        let list = app.recommend(1).await;
        record(&app, &id_of(&list), &[("click", 1)]).await;
    }
    assert_eq!(report(&app, "").await["total"]["clicks"], 20);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_list_of_another_replica_is_found_as_soon_as_that_has_written_it(pool: PgPool) {
    let app = app(pool).await;
    let peers = app.peers.clone();
    let replica = TestApp::with(app.pool.clone(), peers.clone(), settings(&app.pool, &peers).await).await;
    let list = app.recommend(1).await;
    record(&replica, &id_of(&list), &[("impression", 2)]).await;
    assert_eq!(report(&replica, "?days=1").await["total"]["impressions"], 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn events_for_a_list_that_does_not_exist_or_is_another_users_are_404(pool: PgPool) {
    let app = app(pool).await;
    app.peers.set_profile(2, Profile::default());
    let id = id_of(&app.recommend(1).await);
    let events = json!([{"type": "click", "movie_id": 1}]);
    let not_found = (404, "recommendation_not_found".to_owned(), Value::Null);
    for unknown in ["0".repeat(32), "x".into(), "%00".into(), "%ff".into(), id.to_uppercase() + "0"] {
        assert_eq!(error(&send(&app, &unknown, json!({"events": events})).await), not_found, "{unknown}");
    }
    assert_eq!(error(&send(&app, &id, json!({"events": events, "user_id": 2})).await), not_found);
    assert_eq!(report(&app, "").await["total"]["clicks"], 0);
    let own = send(&app, &id, json!({"events": events, "user_id": 1})).await;
    assert_eq!(own.status, StatusCode::OK, "{:?}", own.body);
    // A list for a visitor is nobody's.
    let visitor = id_of(&app.post("/api/v1/recommendations", &json!({})).await);
    assert_eq!(send(&app, &visitor, json!({"events": events, "user_id": 2})).await.status, StatusCode::OK);
    assert_eq!(report(&app, "").await["total"]["clicks"], 2);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_field_that_cannot_be_accepted_is_400_and_named_and_nothing_is_stored(pool: PgPool) {
    let app = app(pool).await;
    let id = id_of(&app.get("/api/v1/users/1/recommendations?limit=2").await);
    for (events, field) in [
        (json!([]), "events"),
        (json!([{"type": "click", "movie_id": 1}, {"type": "click", "movie_id": 3}]), "events[1].movie_id"),
        (json!([{"type": "click", "movie_id": 1}, {"type": "buy", "movie_id": 1}]), "events[1].type"),
        (json!([{"type": "click", "movie_id": 1, "occurred_at": "2999-01-01T00:00:00Z"}]), "events[0].occurred_at"),
    ] {
        let response = send(&app, &id, json!({"events": events})).await;
        assert_eq!(error(&response), (400, "invalid_field".into(), json!(field)), "{events}");
    }
    let response = send(&app, &id, json!({"events": [{"type": "click", "movie_id": "1"}]})).await;
    assert_eq!(error(&response), (400, "invalid_request_body".into(), json!("events[0].movie_id")));
    // The body comes before the question whether there is such a list.
    let response = send(&app, "x", json!({"events": []})).await;
    assert_eq!(error(&response), (400, "invalid_field".into(), json!("events")));
    assert_eq!(report(&app, "").await["total"], counts(0, 0, 0, None, None));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_report_is_about_lists_of_1_to_365_days(pool: PgPool) {
    let app = app(pool).await;
    let database = app.app.database.clone();
    let click = Outcome {
        movie_id: 7,
        place: 11,
        rule: "popularity".into(),
        impression_at: None,
        click_at: Some(Utc::now()),
        play_at: None,
    };
    for (number, days) in [(1, 0), (2, 5), (3, 40), (4, 364)] {
        let list = recorded(number, 1, Utc::now() - Days::new(days));
        list_events::store(&database, &list, std::slice::from_ref(&click)).await.unwrap();
    }
    for (query, clicks) in [("?days=1", 1), ("", 2), ("?days=30", 2), ("?days=365", 4)] {
        let report = report(&app, query).await;
        assert_eq!(report["total"]["clicks"], clicks, "{query}");
        assert_eq!(report["by_variant"][0]["experiment"], "x");
    }
    for query in ["?days=0", "?days=366", "?days=-1", "?days=x", "?days=", "?days=1&days=1"] {
        assert_eq!(error(&app.get(&format!("{REPORT}{query}")).await).2, json!("days"), "{query}");
    }
    assert_eq!(error(&app.get(&format!("{REPORT}?day=1")).await).1, "unknown_parameter");
}

#[sqlx::test(migrations = "./migrations")]
async fn events_outlive_their_lists_and_are_deleted_after_a_year(pool: PgPool) {
    let database = database(&pool, std::time::Duration::from_secs(20));
    let lists = [(1, 40), (2, 367)].map(|(number, days)| recorded(number, 1, Utc::now() - Days::new(days)));
    recorded_lists::store(&database, &lists, &[]).await.unwrap();
    for list in &lists {
        let shown = Outcome {
            movie_id: 7,
            place: 11,
            rule: "popularity".into(),
            impression_at: Some(Utc::now()),
            click_at: None,
            play_at: None,
        };
        list_events::store(&database, list, &[shown]).await.unwrap();
    }
    delete_old(&database, 30, &CancellationToken::new()).await.unwrap();
    let is_recorded = async |list: &RecordedList| recorded_lists::find(&database, &list.id).await.unwrap().is_some();
    assert!(!is_recorded(&lists[0]).await && !is_recorded(&lists[1]).await);
    let left: Vec<String> =
        sqlx::query_scalar("SELECT recommendation_id FROM recommendation_events").fetch_all(&pool).await.unwrap();
    assert_eq!(left, [lists[0].id.clone()]);
    database.close(tokio::time::Instant::now()).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn feedback_that_names_a_list_is_a_play_in_the_report(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    settings.insert("MODEL_TRAIN_INTERVAL_SECONDS".into(), "1".into());
    let app = TestApp::with(pool, peers, settings).await;
    eventually("the catalogue", async || app.app.catalogue.is_loaded()).await;
    let list = app.recommend(1).await;
    let id = id_of(&list);
    let movies: Vec<i32> = list.movies().into_iter().map(|id| id.try_into().expect("an id")).collect();
    let entry = |user: i64, movie: i32, kind: &str, list: &str| json!({"user_id": user, "movie_id": movie, "kind": kind, "occurred_at": Utc::now(), "recommendation_id": list});
    record(&app, &id, &[("impression", movies[0]), ("impression", movies[1])]).await;
    app.peers.set_feed(vec![
        entry(1, movies[1], "dislike", &id),
        entry(2, movies[1], "watched", &id),
        entry(1, 999_999, "watched", &id),
        entry(1, movies[1], "watched", &"0".repeat(32)),
        entry(1, movies[1], "watched", "rubbish"),
        entry(1, movies[0], "like", &id),
    ]);
    eventually("the like is reported", async || report(&app, "").await["total"]["plays"] == 1).await;
    assert_eq!(report(&app, "").await["total"], counts(2, 0, 1, Some(0.0), Some(0.5)));
}

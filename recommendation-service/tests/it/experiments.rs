//! `GET` and `PUT /api/v1/experiments`: two sets of rules side by side.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Catalogue, Peers, Profile, TestApp, TestResponse, days_ago, settings};

const PATH: &str = "/api/v1/experiments";

/// Two movies: the first is popular, the second one new.
async fn app(pool: PgPool) -> TestApp {
    let movies = vec![
        Catalogue::movie(1, json!({"popularity": 100.0})),
        Catalogue::movie(2, json!({"popularity": 1.0, "release_date": days_ago(0)})),
    ];
    let peers = Peers::start(Catalogue::of("1-1", movies)).await;
    (2..=40).for_each(|user| peers.set_profile(user, Profile::default()));
    TestApp::start(pool, peers).await
}

async fn put(app: &TestApp, body: Value) -> TestResponse {
    app.send_json(Method::PUT, PATH, &body.to_string()).await
}

/// A variant by which new movies win.
async fn create_variant(app: &TestApp, variant: &str) -> i64 {
    let rule = json!({"name": "New", "weight": 1, "rule_type": "recency", "variant": variant});
    let created = app.send_json(Method::POST, "/api/v1/rules", &rule.to_string()).await;
    assert_eq!(created.status, StatusCode::CREATED, "{:?}", created.body);
    created.json()["id"].as_i64().expect("an id")
}

async fn begin(app: &TestApp, share: f64) {
    let response = put(app, json!({"experiment": {"name": "newer", "treatment": "b", "share": share}})).await;
    assert_eq!(response.status, StatusCode::OK, "{:?}", response.body);
}

/// The variant that a user's list names, and its first movie.
async fn list(app: &TestApp, user: i64) -> (Value, i64) {
    let response = app.recommend(user).await;
    (response.json()["variant"].clone(), response.movies()[0])
}

fn error(response: &TestResponse) -> (u16, String, Value) {
    let json = response.json();
    (response.status.as_u16(), json["code"].as_str().expect("a code").to_owned(), json["field"].clone())
}

#[sqlx::test(migrations = "./migrations")]
async fn an_experiment_is_begun_shown_changed_and_ended(pool: PgPool) {
    let app = app(pool).await;
    create_variant(&app, "b").await;
    assert_eq!(app.get(PATH).await.json(), json!({"experiment": null}));
    begin(&app, 0.5).await;
    let begun = app.get(PATH).await.json();
    let expected = json!({"name": "newer", "control": "", "treatment": "b", "share": 0.5});
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(begun["experiment"][field], *value, "{field}");
    }
    begin(&app, 0.25).await;
    let changed = app.get(PATH).await.json();
    assert_eq!(changed["experiment"]["share"], 0.25);
    assert_eq!(changed["experiment"]["started_at"], begun["experiment"]["started_at"]);
    for end in ["null", "", "{}", r#"{"experiment":null}"#] {
        begin(&app, 0.5).await;
        let ended = app.send_json(Method::PUT, PATH, end).await;
        assert_eq!((ended.status, ended.json()), (StatusCode::OK, json!({"experiment": null})), "{end}");
        assert_eq!(app.get(PATH).await.json(), json!({"experiment": null}), "{end}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn users_are_divided_and_their_lists_follow_their_rules_and_name_the_variant(pool: PgPool) {
    let app = app(pool).await;
    create_variant(&app, "b").await;
    assert!(app.recommend(1).await.json().get("variant").is_none());
    begin(&app, 0.5).await;
    let mut treated = 0;
    for user in 1..=40 {
        let (variant, first) = list(&app, user).await;
        assert_eq!(first, if variant == "b" { 2 } else { 1 }, "user {user}, variant {variant}");
        assert!(variant == "b" || variant == "");
        treated += i32::from(variant == "b");
        // From the cache it is the same.
        assert_eq!(list(&app, user).await, (variant, first));
    }
    assert!((8..=32).contains(&treated), "{treated}");
    let visitor = app.post("/api/v1/recommendations", &json!({})).await;
    assert!(visitor.json().get("variant").is_none() && visitor.movies()[0] == 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_change_is_in_effect_at_once_on_every_replica(pool: PgPool) {
    let app = app(pool).await;
    create_variant(&app, "b").await;
    let peers = app.peers.clone();
    let mut settings = settings(&app.pool, &peers).await;
    settings.insert("CATALOGUE_REFRESH_SECONDS".into(), "3600".into());
    let replica = TestApp::with(app.pool.clone(), peers, settings).await;
    crate::support::eventually("its catalogue", async || replica.app.catalogue.is_loaded()).await;
    for _ in 0..3 {
        assert_eq!(list(&replica, 1).await, (Value::Null, 1));
        begin(&app, 1.0).await;
        assert_eq!(list(&replica, 1).await, (json!("b"), 2));
        begin(&app, 0.0).await;
        assert_eq!(list(&replica, 1).await, (json!(""), 1));
        put(&app, json!({"experiment": null})).await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_recorded_list_and_the_report_have_the_variant(pool: PgPool) {
    let app = app(pool).await;
    create_variant(&app, "b").await;
    begin(&app, 1.0).await;
    let id = app.recommend(1).await.json()["recommendation_id"].as_str().unwrap().to_owned();
    begin(&app, 0.0).await;
    app.recommend(1).await;
    let history = app.get("/api/v1/users/1/recommendations/history").await.json();
    let arms: Vec<_> = history["lists"].as_array().unwrap().iter().map(|list| list["variant"].clone()).collect();
    assert_eq!(arms, ["", "b"]);
    assert_eq!(history["lists"][1]["experiment"], "newer");
    assert_eq!(history["lists"][1]["rules"], json!([{"rule_type": "recency", "weight": 1.0}]));
    let events = json!({"events": [{"type": "impression", "movie_id": 2}, {"type": "click", "movie_id": 2}]});
    app.post(&format!("/api/v1/recommendations/{id}/events"), &events).await;
    let report = app.get("/api/v1/recommendations/report").await.json();
    let line = &report["by_variant"][0];
    assert_eq!((&line["experiment"], &line["variant"], &line["clicks"]), (&json!("newer"), &json!("b"), &json!(1)));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_rule_that_is_deleted_while_an_experiment_uses_it_counts_no_more_and_lists_go_on(pool: PgPool) {
    let app = app(pool).await;
    let rule = create_variant(&app, "b").await;
    begin(&app, 1.0).await;
    assert_eq!(list(&app, 1).await, (json!("b"), 2));
    let deleted = app.request(Method::DELETE, &format!("/api/v1/rules/{rule}")).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    // Without any rule all scores are 0, and the more popular one comes first.
    assert_eq!(list(&app, 1).await, (json!("b"), 1));
}

#[sqlx::test(migrations = "./migrations")]
async fn what_cannot_be_accepted_is_400_and_named_and_nothing_is_changed(pool: PgPool) {
    let app = app(pool).await;
    create_variant(&app, "b").await;
    begin(&app, 0.5).await;
    let before = app.get(PATH).await.json();
    let valid = json!({"name": "x", "control": "", "treatment": "b", "share": 0.1});
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("A")),
        ("control", json!("b")),
        ("control", json!("nothing")),
        ("treatment", json!("")),
        ("treatment", json!("nothing")),
        ("share", json!(-0.1)),
        ("share", json!(1.1)),
        ("share", Value::Null),
    ] {
        let mut experiment = valid.clone();
        experiment[field] = value.clone();
        let response = put(&app, json!({"experiment": experiment})).await;
        let (status, code, blamed) = error(&response);
        assert_eq!((status, code.as_str()), (400, "invalid_field"), "{field} {value}");
        let other = if (field, &value) == ("control", &json!("b")) { "experiment.treatment" } else { "" };
        assert!(blamed == format!("experiment.{field}") || blamed == other, "{field} {value}: {blamed}");
    }
    for body in ["[]", "{", r#"{"experiment":[]}"#, r#"{"experiment":{"share":"1"}}"#] {
        assert_eq!(app.send_json(Method::PUT, PATH, body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(app.request(Method::DELETE, PATH).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(app.get(PATH).await.json(), before);
}

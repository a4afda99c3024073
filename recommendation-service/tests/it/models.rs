//! `/api/v1/models` and the training of the collaborative model.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Catalogue, PeerBehaviour, Peers, Profile, TestApp, eventually, settings};

const MIGRATIONS: &sqlx::migrate::Migrator = &recommendation_service::MIGRATIONS;

/// Two groups of users: one likes the movies 1 to 8, the other 11 to 18; nobody likes all of a group.
fn feedback() -> Vec<Value> {
    let entry = |user: i64, movie: i64| json!({"user_id": user, "movie_id": movie, "kind": "like", "occurred_at": format!("2026-01-01T00:{:02}:00Z", movie)});
    let likes = |user: i64| {
        (1..=8).filter(move |movie| (movie + user) % 8 != 0).map(move |movie| (user, movie + user % 2 * 10))
    };
    (1..=40).flat_map(likes).map(|(user, movie)| entry(user, movie)).collect()
}

/// The service with these settings and feedback.
async fn start(pool: &PgPool, feed: Vec<Value>, more: &[(&str, &str)]) -> TestApp {
    let peers = Peers::start(Catalogue::small()).await;
    peers.set_feed(feed);
    let mut settings = settings(pool, &peers).await;
    settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    TestApp::with(pool.clone(), peers, settings).await
}

async fn finished(app: &TestApp, id: i64) -> Value {
    let mut job = Value::Null;
    eventually("the end of the training", async || {
        job = app.get(&format!("/api/v1/models/train/{id}")).await.json()["job"].clone();
        matches!(job["status"].as_str(), Some("succeeded" | "failed"))
    })
    .await;
    job
}

async fn train(app: &TestApp) -> Value {
    let accepted = app.request(Method::POST, "/api/v1/models/train").await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    let id = accepted.json()["job"]["id"].as_i64().expect("an id");
    assert_eq!(accepted.headers["location"], format!("/api/v1/models/train/{id}"));
    finished(app, id).await
}

async fn also_liked(app: &TestApp, movie: i32) -> Vec<i64> {
    let json = app.get(&format!("/api/v1/movies/{movie}/also-liked")).await.json();
    json["movies"].as_array().expect("a list").iter().filter_map(|movie| movie["id"].as_i64()).collect()
}

async fn models(app: &TestApp) -> Value {
    app.get("/api/v1/models").await.json()["models"].clone()
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_training_gives_a_model_that_is_listed_and_used_without_a_restart(pool: PgPool) {
    let app = start(&pool, feedback(), &[]).await;
    assert_eq!(app.get("/api/v1/models").await.json(), json!({"models": [], "job": null}));

    let job = train(&app).await;
    assert_eq!((&job["status"], &job["percent"], &job["error"]), (&json!("succeeded"), &json!(100), &Value::Null));
    let list = app.get("/api/v1/models").await.json();
    let model = &list["models"][0];
    assert_eq!((&model["version"], &model["in_use"]), (&job["version"], &json!(true)));
    assert_eq!(model["info"]["algorithm"], "ease");
    assert_eq!((&model["info"]["users"], &model["info"]["movies"]), (&json!(40), &json!(16)));
    assert!(
        model["info"]["quality"]["ndcg_10"].as_f64().is_some_and(|quality| (0.0..=1.0).contains(&quality)),
        "{list}"
    );
    let current = app.app.models.current().expect("a model");
    let neighbours = current.neighbours(1, 5);
    assert!(neighbours.len() == 5 && neighbours.iter().all(|(movie, _)| *movie <= 8), "{neighbours:?}");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn after_a_training_lists_and_also_liked_follow_what_others_did(pool: PgPool) {
    let movies = (1..=20).map(|id| Catalogue::movie(id, json!({"popularity": 5.0, "genre_ids": [1]}))).collect();
    let peers = Peers::start(Catalogue::of("1-1", movies)).await;
    peers.set_feed(feedback());
    peers.set_profile(1, Profile::liking(&[13, 14]));
    let app = TestApp::start(pool, peers).await;
    let before = app.recommend(1).await.movies();
    assert_eq!(also_liked(&app, 13).await, Vec::<i64>::new());

    assert_eq!(train(&app).await["status"], "succeeded");
    let others = also_liked(&app, 13).await;
    // Seven movies were liked by the same people; the others have a genre in common with it.
    assert!(others.len() >= 7 && others[..7].iter().all(|movie| (11..=18).contains(movie)), "{others:?}");
    // The very next list, although the one before it is cached.
    let response = app.get("/api/v1/users/1/recommendations?limit=6&explain=true").await;
    let after = response.movies();
    assert!(after != before && after.iter().all(|movie| (11..=18).contains(movie)), "{before:?} {after:?}");
    let first = &response.json()["recommendations"][0];
    assert!(first["reason"].as_str().is_some_and(|reason| reason.starts_with("because you liked Movie 1")), "{first}");
    let rules = first["explanation"].as_array().expect("an explanation").clone();
    let collaborative = rules.iter().find(|rule| rule["rule"] == "collaborative").expect("the learned rule");
    assert!(collaborative["contribution"].as_f64().is_some_and(|value| value > 0.0), "{collaborative}");
    assert!(collaborative["sources"].as_array().is_some_and(|sources| !sources.is_empty()), "{collaborative}");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_failed_training_says_why_and_leaves_the_model_before_it(pool: PgPool) {
    let app = start(&pool, feedback(), &[]).await;
    let version = train(&app).await["version"].clone();
    app.peers.feed(PeerBehaviour::Truncate);
    let job = train(&app).await;
    assert_eq!((&job["status"], &job["version"]), (&json!("failed"), &Value::Null));
    let error = job["error"].as_str().expect("a reason");
    assert!(error.starts_with("user-preference-service gave no feedback"), "{error}");
    let list = app.get("/api/v1/models").await.json();
    assert_eq!((list["models"].as_array().map(Vec::len), &list["models"][0]["version"]), (Some(1), &version));
    assert_eq!(list["models"][0]["in_use"], true);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn with_too_little_feedback_the_training_fails(pool: PgPool) {
    let app = start(&pool, Vec::new(), &[]).await;
    let job = train(&app).await;
    assert_eq!(
        (&job["status"], &job["error"]),
        (&json!("failed"), &json!("there is too little feedback to learn from"))
    );
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_stored_model_is_loaded_at_the_start_and_a_damaged_one_is_refused_and_said(pool: PgPool) {
    let first = start(&pool, feedback(), &[]).await;
    let good = train(&first).await["version"].clone();
    let mut more = feedback();
    more.push(json!({"user_id": 1, "movie_id": 99, "kind": "like", "occurred_at": "2026-01-02T00:00:00Z"}));
    more.push(json!({"user_id": 2, "movie_id": 99, "kind": "like", "occurred_at": "2026-01-02T00:00:00Z"}));
    more.push(json!({"user_id": 3, "movie_id": 99, "kind": "like", "occurred_at": "2026-01-02T00:00:00Z"}));
    first.peers.set_feed(more);
    let newer = train(&first).await["version"].clone();
    assert_ne!(good, newer);
    first.app.lifecycle.drain(tokio::time::Instant::now() + Duration::from_secs(5)).await;

    sqlx::query(
        "UPDATE collaborative_model_parts SET content = set_byte(content, 100, 1 + get_byte(content, 100) % 255)
                 WHERE model_id = (SELECT max(id) FROM collaborative_models)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let second = start(&pool, Vec::new(), &[]).await;
    eventually("the older model in use", async || models(&second).await[1]["in_use"] == true).await;
    let list = models(&second).await;
    assert_eq!((&list[0]["version"], &list[0]["in_use"]), (&newer, &json!(false)));
    assert_eq!(list[0]["refused"], "the checksum does not fit");
    assert_eq!(second.app.models.current().expect("a model").info().version, good.as_str().expect("a version"));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_training_begins_by_itself_when_enough_has_changed(pool: PgPool) {
    let settings = [("MODEL_TRAIN_AFTER_CHANGES", "100"), ("MODEL_TRAIN_INTERVAL_SECONDS", "1")];
    let app = start(&pool, feedback(), &settings).await;
    eventually("a model", async || app.app.models.current().is_some()).await;
    assert_eq!(models(&app).await[0]["info"]["users"], 40);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn one_replica_trains_at_a_time_and_another_takes_over_what_it_left(pool: PgPool) {
    sqlx::query("INSERT INTO leases VALUES ('model-training', 'another replica', now() + interval '1 hour')")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("INSERT INTO model_training_jobs (status, started_at) VALUES ('running', now())")
        .execute(&pool)
        .await
        .unwrap();
    let app = start(&pool, feedback(), &[("MODEL_TRAIN_INTERVAL_SECONDS", "1")]).await;
    // Whoever asks is given the one that runs.
    let asked = app.request(Method::POST, "/api/v1/models/train").await.json();
    assert_eq!(asked["job"]["status"], "running");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(app.get("/api/v1/models").await.json()["job"]["status"], "running");

    sqlx::query("UPDATE leases SET expires_at = now() - interval '1 second'").execute(&pool).await.unwrap();
    let job = finished(&app, asked["job"]["id"].as_i64().expect("an id")).await;
    assert_eq!((&job["status"], &job["error"]), (&json!("failed"), &json!("the replica that trained has ended")));
    assert_eq!(train(&app).await["status"], "succeeded");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_training_that_does_not_exist_is_404(pool: PgPool) {
    let app = start(&pool, Vec::new(), &[]).await;
    for id in ["1", "0", "x", "99999999999999999999"] {
        let response = app.get(&format!("/api/v1/models/train/{id}")).await;
        assert_eq!((response.status, response.error().as_str()), (StatusCode::NOT_FOUND, "training not found"), "{id}");
    }
}

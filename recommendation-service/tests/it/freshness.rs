//! Changes of data are seen: those of a user by the very next request, those of catalogue and rules within seconds.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgPool;

use crate::support::{Catalogue, PeerBehaviour, Peers, Profile, TestApp, eventually};

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

#[sqlx::test(migrations = "./migrations")]
async fn a_preference_or_interaction_change_is_seen_by_the_very_next_request(pool: PgPool) {
    let app = app(pool).await;
    assert_eq!(app.recommend(1).await.movies(), [1, 2, 3, 4]);
    app.peers.set_profile(1, Profile { genres: vec!["Drama"], ..Profile::default() });
    let preferring = app.recommend(1).await;
    assert_eq!(preferring.json()["recommendations"][1]["reason"], "matches your preferred genres");
    app.peers.set_profile(1, Profile { genres: vec!["Drama"], seen: vec![3], ..Profile::default() });
    assert_eq!(app.recommend(1).await.movies(), [1, 2, 4]);
    app.peers.set_profile(1, Profile { genres: vec!["Drama"], seen: vec![3], min_rating: 7.0, ..Profile::default() });
    assert_eq!(app.recommend(1).await.movies(), [1, 4]);
    app.peers.set_profile(1, Profile::default());
    assert_eq!(app.recommend(1).await.movies(), [1, 2, 3, 4]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_catalogue_change_is_seen_within_five_seconds_although_the_list_is_cached(pool: PgPool) {
    let app = app(pool).await;
    app.recommend(1).await;
    let mut changed = Catalogue::small();
    changed.version = "1-2".into();
    changed.movies.push(Catalogue::movie(9, json!({"popularity": 1000.0})));
    app.peers.set_catalogue(changed);
    let started = Instant::now();
    eventually("the new movie", async || app.recommend(1).await.movies()[0] == 9).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_catalogue_from_a_new_database_is_seen_too(pool: PgPool) {
    let app = app(pool).await;
    app.peers.set_catalogue(Catalogue::of("2-1", vec![Catalogue::movie(7, json!({}))]));
    eventually("the other catalogue", async || app.recommend(1).await.movies() == [7]).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_unchanged_catalogue_is_not_sent_again(pool: PgPool) {
    let app = app(pool).await;
    let first = app.app.catalogue.current().unwrap();
    eventually("two answers 304", async || app.peers.unchanged() >= 2).await;
    assert!(std::sync::Arc::ptr_eq(&first, &app.app.catalogue.current().unwrap()));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_truncated_catalogue_is_discarded_and_a_whole_one_used(pool: PgPool) {
    let app = app(pool).await;
    let mut changed = Catalogue::small();
    changed.version = "1-2".into();
    changed.movies.remove(0);
    app.peers.movie_service(PeerBehaviour::Truncate);
    app.peers.set_catalogue(changed.clone());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(app.app.catalogue.current().unwrap().version(), "1-1");
    // Cleanly ended, but without the last line, or with half a movie.
    for text in [r#"{"catalogue_version":"1-2","genres":[]}"#, "", "garbage", r#"{"end":true,"movies":0}"#] {
        app.peers.movie_service(PeerBehaviour::Body(text.into()));
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(app.app.catalogue.current().unwrap().version(), "1-1", "{text}");
    }
    app.peers.movie_service(PeerBehaviour::Ok);
    eventually("the whole one", async || app.recommend(1).await.movies() == [2, 3, 4]).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_changed_rule_is_seen_within_five_seconds(pool: PgPool) {
    let app = app(pool).await;
    app.peers.set_profile(1, Profile { genres: vec!["Drama"], ..Profile::default() });
    // 0.4; 0.2 + 0.15; 0.1 + 0.3: the third ties with the first, which is more popular.
    assert_eq!(app.recommend(1).await.movies(), [1, 3, 2, 4]);
    sqlx::query("UPDATE recommendation_rules SET is_active = rule_type = 'genre_match'")
        .execute(&app.pool)
        .await
        .unwrap();
    let started = Instant::now();
    eventually("genres only", async || app.recommend(1).await.movies() == [3, 2, 1, 4]).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let reason = app.recommend(1).await.json()["recommendations"][2]["reason"].clone();
    assert_eq!(reason, "recommended for you");
}

#[sqlx::test(migrations = "./migrations")]
async fn rules_of_one_type_add_up_and_unknown_types_count_nothing(pool: PgPool) {
    sqlx::query(
        "INSERT INTO recommendation_rules (name, weight, rule_type)
         VALUES ('More', 0.25, 'popularity'), ('Weather', 9, 'weather')",
    )
    .execute(&pool)
    .await
    .unwrap();
    let app = app(pool).await;
    assert_eq!(app.recommend(1).await.json()["recommendations"][0]["score"], 0.65);
}

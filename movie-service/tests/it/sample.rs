//! The built-in sample.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use sqlx::PgPool;

use crate::support::TestApp;

fn sample() -> Value {
    serde_json::from_str(include_str!("../../data/sample-catalogue.json")).unwrap()
}

#[test]
fn the_sample_covers_what_it_promises() {
    let sample = sample();
    let movies = sample["movies"].as_array().unwrap();
    assert!(movies.len() >= 250);

    let genres: BTreeSet<i64> =
        sample["genres"].as_array().unwrap().iter().map(|genre| genre["id"].as_i64().unwrap()).collect();
    assert_eq!(genres.len(), 19);
    let used: BTreeSet<i64> = movies
        .iter()
        .flat_map(|movie| movie["genre_ids"].as_array().into_iter().flatten())
        .map(|id| id.as_i64().unwrap())
        .collect();
    assert_eq!(used, genres, "every genre is used, and no other");

    let texts = |field: &str| movies.iter().filter_map(|movie| movie[field].as_str()).collect::<Vec<_>>();
    let languages: BTreeSet<_> = texts("original_language").into_iter().collect();
    assert!(languages.len() >= 12, "{languages:?}");
    let dates = texts("release_date");
    assert!(dates.iter().all(|date| movie_service::models::movie::parse_date(date).is_some()));
    let decades: BTreeSet<_> = dates.iter().map(|date| &date[..3]).collect();
    for decade in ["192", "193", "194", "195", "196", "197", "198", "199", "200", "201", "202"] {
        assert!(decades.contains(decade), "{decade}0s");
    }
    let recent = dates.iter().filter(|date| ("2024-11-01".."2026-11-01").contains(*date)).count();
    assert!(recent >= 40, "{recent} released within the two years before November 2026");
}

#[test]
fn each_movie_of_the_sample_is_there_once_and_plausible() {
    let sample = sample();
    let mut seen = HashMap::new();
    for movie in sample["movies"].as_array().unwrap() {
        let title = movie["title"].as_str().unwrap();
        assert!(!title.trim().is_empty());
        assert!(seen.insert((title, movie["release_date"].as_str()), ()).is_none(), "{title} is there twice");
        let overview = movie["overview"].as_str().unwrap_or_default();
        assert!(overview.ends_with('.') && overview.len() > 20, "{title}: {overview}");
        if let Some(minutes) = movie["runtime"].as_i64() {
            assert!((20..=600).contains(&minutes), "{title}: {minutes}");
        }
        if let Some(average) = movie["vote_average"].as_f64() {
            assert!((0.0..=10.0).contains(&average), "{title}: {average}");
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn without_a_key_a_sync_loads_the_whole_sample(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let sample = sample();
    let movies = sample["movies"].as_array().unwrap();
    let report = app.sync(1).await.json();
    assert_eq!(
        report,
        serde_json::json!({
            "message": "sync completed", "movies_synced": movies.len(), "pages": movies.len().div_ceil(20),
            "source": "sample", "failed_pages": [], "skipped": 0,
        })
    );
    assert_eq!(app.count("SELECT count(*) FROM genres").await, 19);
    assert_eq!(app.count("SELECT count(*) FROM movies WHERE tmdb_id < 0").await, movies.len() as i64);
    assert_eq!(app.count("SELECT count(*) FROM movies WHERE id > (SELECT count(*) FROM movies)").await, 0);

    let first = app.get("/api/v1/movies/1").await.json();
    assert_eq!(first["title"], movies[0]["title"]);
    assert_eq!(first["duration"], movies[0]["runtime"]);
    assert_eq!(first["release_date"], movies[0]["release_date"]);
}

#[sqlx::test(migrations = "./migrations")]
async fn loading_the_sample_again_changes_nothing_and_keeps_runtimes(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(5).await;
    app.execute("UPDATE movies SET runtime = 999 WHERE id = 1").await;
    let before = app.catalogue().await;
    let again = app.sync(5).await.json();
    assert_eq!(again["movies_synced"], app.count("SELECT count(*) FROM movies").await);
    let after = app.catalogue().await;
    assert_eq!((before.header("etag"), &before.body), (after.header("etag"), &after.body));
    assert_eq!(app.count("SELECT count(*) FROM movies WHERE updated_at > created_at").await, 0);
    assert_eq!(app.get("/api/v1/movies/1").await.json()["duration"], 999);
}

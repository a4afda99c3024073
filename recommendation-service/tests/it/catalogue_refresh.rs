//! The copy of the catalogue follows movie-service by what changed, and outlives its faults.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Catalogue, PeerBehaviour, Peers, TestApp, eventually, settings};

/// The small catalogue after a change of movie 2, without movie 3 and with movie 9, the most popular one.
fn changed() -> Catalogue {
    let mut catalogue = Catalogue::small();
    catalogue.version = "1-2".into();
    catalogue.movies[1]["title"] = "Changed".into();
    catalogue.movies.remove(2);
    catalogue.movies.push(Catalogue::movie(9, json!({"popularity": 1000.0, "genre_ids": [3]})));
    catalogue
}

#[sqlx::test(migrations = "./migrations")]
async fn only_what_changed_is_read(pool: PgPool) {
    let app = TestApp::start(pool, Peers::start(Catalogue::small()).await).await;
    assert_eq!((app.recommend(1).await.movies(), app.peers.sent()), (vec![1, 2, 3, 4], (1, 0)));
    app.peers.change_catalogue(changed());
    let started = Instant::now();
    eventually("the changes", async || app.recommend(1).await.movies() == [9, 1, 2, 4]).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let list = app.recommend(1).await.json();
    assert_eq!(list["recommendations"][2]["title"], "Changed");
    assert_eq!(list["recommendations"][0]["genres"], json!(["Comedy"]));
    assert_eq!(app.peers.sent(), (1, 1));
}

#[sqlx::test(migrations = "./migrations")]
async fn after_changes_that_do_not_fit_the_catalogue_is_read_whole(pool: PgPool) {
    let app = TestApp::start(pool, Peers::start(Catalogue::small()).await).await;
    // It says that there are five movies now.
    let wrong = changed().changes_since(&Catalogue::small()).replace("\"total\":4", "\"total\":5");
    app.peers.movie_service(PeerBehaviour::Body(wrong));
    app.peers.change_catalogue(changed());
    eventually("the changes were sent", async || app.peers.sent().1 > 0).await;
    assert_eq!(app.app.catalogue.current().unwrap().version(), "1-1");
    app.peers.movie_service(PeerBehaviour::Ok);
    eventually("the changes", async || app.recommend(1).await.movies() == [9, 1, 2, 4]).await;
    let (whole, _) = app.peers.sent();
    assert!(whole >= 2, "{whole}");
    // From then on changes do again.
    let mut next = changed();
    next.version = "1-3".into();
    next.movies.pop();
    let before = app.peers.sent();
    app.peers.change_catalogue(next);
    eventually("the next changes", async || app.recommend(1).await.movies() == [1, 2, 4]).await;
    assert_eq!(app.peers.sent(), (before.0, before.1 + 1));
}

#[sqlx::test(migrations = "./migrations")]
async fn while_movie_service_fails_the_copy_stays_in_use_and_answers_say_its_age(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    settings.insert("CATALOGUE_STALE_AFTER_SECONDS".into(), "1".into());
    let app = TestApp::with(pool, peers, settings).await;
    eventually("the first copy of the catalogue", async || app.app.catalogue.is_loaded()).await;
    let age = async || app.recommend(1).await.json()["catalogue_age_seconds"].clone();
    // Cached before the fault, and sent from the cache during it.
    assert_eq!(age().await, Value::Null);
    let mut next = Catalogue::small();
    next.version = "1-2".into();
    app.peers.change_catalogue(next);
    for mode in [
        PeerBehaviour::Body("<html>rubbish</html>".into()),
        PeerBehaviour::Body(String::new()),
        PeerBehaviour::Truncate,
        PeerBehaviour::Status(500),
        PeerBehaviour::Hang,
    ] {
        app.peers.movie_service(mode.clone());
        eventually("the age", async || age().await.as_u64().is_some_and(|age| age >= 2)).await;
        assert_eq!(app.recommend(1).await.movies(), [1, 2, 3, 4], "{mode:?}");
        app.peers.movie_service(PeerBehaviour::Ok);
        eventually("no age", async || age().await == Value::Null).await;
    }
}

//! Whether a cached list is still right is asked by the revision of the user, for many users at once.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use sqlx::PgPool;

use crate::support::{Catalogue, PeerBehaviour, Peers, Profile, TestApp};

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

#[sqlx::test(migrations = "./migrations")]
async fn a_cached_list_costs_a_question_for_the_revision_and_no_profile(pool: PgPool) {
    let app = app(pool).await;
    let first = app.recommend(1).await;
    let profiles = app.peers.profile_calls();
    for _ in 0..5 {
        assert_eq!(app.recommend(1).await.body, first.body);
    }
    assert_eq!((app.peers.profile_calls(), app.peers.revision_calls()), (profiles, 6));
    app.peers.set_profile(1, Profile { seen: vec![1], ..Profile::default() });
    assert_eq!(app.recommend(1).await.movies(), [2, 3, 4]);
    assert_eq!(app.peers.profile_calls(), profiles + 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn requests_at_the_same_time_share_questions(pool: PgPool) {
    let app = Arc::new(app(pool).await);
    for user in 1..=40 {
        app.peers.set_profile(user, Profile { seen: vec![user as i32 % 4 + 1], ..Profile::default() });
        app.recommend(user).await;
    }
    let questions = app.peers.revision_calls();
    app.peers.user_service(PeerBehaviour::Delay(Duration::from_millis(50)));
    let mut requests = tokio::task::JoinSet::new();
    for user in 1..=40 {
        let app = app.clone();
        requests.spawn(async move { (user, app.recommend(user).await) });
    }
    for (user, response) in requests.join_all().await {
        assert_eq!(response.json()["user_id"], user);
        assert_eq!(response.movies().len(), 3);
    }
    // Two are on their way while all others wait for the next ones.
    assert!(app.peers.revision_calls() - questions <= 5, "{}", app.peers.revision_calls() - questions);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_user_who_is_deleted_is_404_although_a_list_is_cached(pool: PgPool) {
    let app = app(pool).await;
    app.recommend(1).await;
    app.peers.remove_user(1);
    let response = app.get("/api/v1/users/1/recommendations").await;
    assert_eq!((response.status, response.error().as_str()), (StatusCode::NOT_FOUND, "user not found"));
}

#[sqlx::test(migrations = "./migrations")]
async fn an_older_user_preference_service_without_revisions_is_asked_for_the_profile(pool: PgPool) {
    let app = app(pool).await;
    app.peers.without_revisions();
    let first = app.recommend(1).await;
    assert_eq!(app.recommend(1).await.body, first.body);
    app.peers.set_profile(1, Profile { seen: vec![2], ..Profile::default() });
    assert_eq!(app.recommend(1).await.movies(), [1, 3, 4]);
    assert_eq!(app.peers.profile_calls(), 3);
    let unknown = app.get("/api/v1/users/2/recommendations").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_slow_user_preference_service_costs_the_time_limit_of_profiles_only(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = crate::support::settings(&pool, &peers).await;
    settings.insert("PROFILE_TIMEOUT_MS".into(), "300".into());
    let app = TestApp::with(pool, peers, settings).await;
    crate::support::eventually("the catalogue", async || app.app.catalogue.is_loaded()).await;
    app.peers.user_service(PeerBehaviour::Delay(Duration::from_secs(30)));
    let started = std::time::Instant::now();
    assert_eq!(app.recommend(1).await.json()["degraded"], true);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

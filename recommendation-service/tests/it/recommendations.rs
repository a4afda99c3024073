//! `GET /api/v1/users/{id}/recommendations`: what is recommended, in which order and form.

use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{Catalogue, Peers, Profile, TestApp, days_ago};

async fn app(pool: PgPool, catalogue: Catalogue) -> TestApp {
    TestApp::start(pool, Peers::start(catalogue).await).await
}

#[sqlx::test(migrations = "./migrations")]
async fn the_response_has_the_agreed_form(pool: PgPool) {
    let app = app(pool, Catalogue::small()).await;
    app.peers.set_profile(1, Profile { genres: vec!["dRAMA"], ..Profile::default() });
    let response = app.recommend(1).await;
    assert_eq!(response.headers["content-type"], "application/json");
    let mut json = response.json();
    let generated_at = json["generated_at"].as_str().expect("a time").to_owned();
    assert!(generated_at.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(&generated_at).is_ok());
    json["generated_at"] = "[time]".into();
    assert_eq!(json["recommendation_id"].as_str().map(str::len), Some(32));
    json["recommendation_id"] = "[id]".into();
    insta::assert_json_snapshot!(json);
}

#[sqlx::test(migrations = "./migrations")]
async fn new_and_popular_movies_of_a_preferred_genre_come_first_and_say_why(pool: PgPool) {
    let movies = vec![
        Catalogue::movie(1, json!({"popularity": 80.0, "release_date": days_ago(0), "genre_ids": [1]})),
        Catalogue::movie(2, json!({"popularity": 100.0, "release_date": days_ago(73), "genre_ids": [1, 2]})),
        Catalogue::movie(3, json!({"popularity": 10.0, "release_date": days_ago(365), "genre_ids": [3]})),
    ];
    let app = app(pool, Catalogue::of("1-1", movies)).await;
    app.peers.set_profile(1, Profile { genres: vec!["Action"], ..Profile::default() });
    let json = app.recommend(1).await.json();
    let shown: Vec<_> = json["recommendations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|movie| (movie["id"].as_i64(), movie["score"].as_f64(), movie["reason"].as_str()))
        .collect();
    // 0.4 + 0.3 x 0.9 + 0.3/2; 0.4 x 0.8 + 0.3; 0.4 x 0.1 + 0.3 x 0.5.
    assert_eq!(
        shown,
        [
            (Some(2), Some(0.82), Some("highly popular, recently released, matches your preferred genres")),
            (Some(1), Some(0.62), Some("highly popular, recently released")),
            (Some(3), Some(0.19), Some("recommended for you")),
        ]
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn the_whole_catalogue_is_looked_at_not_only_the_most_popular_movies(pool: PgPool) {
    let mut movies: Vec<_> = (1..200)
        .map(|id| Catalogue::movie(id, json!({"popularity": 100.0 - f64::from(id) / 10.0, "genre_ids": [0]})))
        .collect();
    movies.push(Catalogue::movie(200, json!({"popularity": 50.0, "release_date": days_ago(0), "genre_ids": [1]})));
    let app = app(pool, Catalogue::of("1-1", movies)).await;
    app.peers.set_profile(1, Profile { genres: vec!["Drama"], ..Profile::default() });
    assert_eq!(app.recommend(1).await.movies()[0], 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_limit_outside_1_to_50_or_unreadable_means_10(pool: PgPool) {
    let movies = (1..=60).map(|id| Catalogue::movie(id, json!({}))).collect();
    let app = app(pool, Catalogue::of("1-1", movies)).await;
    for (query, length) in [
        ("", 10),
        ("?limit=1", 1),
        ("?limit=50", 50),
        ("?limit=0", 10),
        ("?limit=51", 10),
        ("?limit=-1", 10),
        ("?limit=many", 10),
        ("?limit=", 10),
        ("?limit=99999999999999999999", 10),
        ("?limit=%zz&%", 10),
    ] {
        let response = app.get(&format!("/api/v1/users/1/recommendations{query}")).await;
        assert_eq!((response.status, response.movies().len()), (StatusCode::OK, length), "{query}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn equal_scores_go_by_popularity_and_then_by_id(pool: PgPool) {
    let movies = [(1, 0.0), (2, 0.001), (3, 0.0), (4, 0.002), (9, 100.0)];
    let movies = movies.map(|(id, popularity)| Catalogue::movie(id, json!({"popularity": popularity})));
    let app = app(pool, Catalogue::of("1-1", movies.into())).await;
    assert_eq!(app.recommend(1).await.movies(), [9, 4, 2, 1, 3]);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_id_that_is_not_a_number_above_zero_is_400(pool: PgPool) {
    let app = app(pool, Catalogue::small()).await;
    for id in ["abc", "0", "-1", "+0", "1.5", "1e3", "%20", "%ff", "%00", "1%20", "-99999999999999999999", "٣"] {
        let id = if id.is_ascii() { id.to_owned() } else { "%D9%A3".to_owned() };
        let response = app.get(&format!("/api/v1/users/{id}/recommendations")).await;
        assert_eq!((response.status, response.error().as_str()), (StatusCode::BAD_REQUEST, "invalid user ID"), "{id}");
    }
    assert_eq!(app.peers.profile_calls(), 0);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sign_or_leading_zeros_may_stand_before_an_id(pool: PgPool) {
    let app = app(pool, Catalogue::small()).await;
    for id in ["+1", "001", "%31"] {
        let response = app.get(&format!("/api/v1/users/{id}/recommendations")).await;
        assert_eq!((response.status, &response.json()["user_id"]), (StatusCode::OK, &json!(1)), "{id}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_user_who_does_not_exist_or_cannot_exist_is_404(pool: PgPool) {
    let app = app(pool, Catalogue::small()).await;
    for id in ["2", "9223372036854775807", "9223372036854775808", "99999999999999999999999"] {
        let response = app.get(&format!("/api/v1/users/{id}/recommendations")).await;
        assert_eq!((response.status, response.error().as_str()), (StatusCode::NOT_FOUND, "user not found"), "{id}");
    }
    assert!(app.cache_keys().await.is_empty());
}

#[sqlx::test(migrations = "./migrations")]
async fn watched_and_disliked_movies_are_left_out_unless_asked_for(pool: PgPool) {
    let app = app(pool, Catalogue::small()).await;
    app.peers.set_profile(1, Profile { seen: vec![1, 3, 77], ..Profile::default() });
    assert_eq!(app.recommend(1).await.movies(), [2, 4]);
    for (value, movies) in
        [("true", vec![1, 2, 3, 4]), ("1", vec![1, 2, 3, 4]), ("false", vec![2, 4]), ("0", vec![2, 4])]
    {
        let response = app.get(&format!("/api/v1/users/1/recommendations?include_seen={value}")).await;
        assert_eq!(response.movies(), movies, "{value}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_wrong_include_seen_or_a_misspelt_one_is_400(pool: PgPool) {
    let app = app(pool, Catalogue::small()).await;
    for (query, field) in [
        ("include_seen=yes", "include_seen"),
        ("include_seen=", "include_seen"),
        ("include_seen=1&include_seen=1", "include_seen"),
        ("include_sen=true", "include_sen"),
        ("include_seen=1&limits=5", "limits"),
    ] {
        let response = app.get(&format!("/api/v1/users/1/recommendations?{query}")).await;
        let json = response.json();
        assert_eq!((response.status, &json["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{json}");
    }
    let response = app.get("/api/v1/users/1/recommendations?limits=5&utm_source=mail").await;
    assert_eq!(response.status, StatusCode::OK);
}

#[sqlx::test(migrations = "./migrations")]
async fn movies_rated_below_the_minimum_are_left_out_but_unrated_ones_are_not(pool: PgPool) {
    let app = app(pool, Catalogue::small()).await;
    app.peers.set_profile(1, Profile { min_rating: 7.5, ..Profile::default() });
    assert_eq!(app.recommend(1).await.movies(), [1, 3, 4]);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_empty_catalogue_or_one_seen_whole_gives_an_empty_list(pool: PgPool) {
    let app = app(pool, Catalogue::of("1-0", Vec::new())).await;
    assert!(app.recommend(1).await.movies().is_empty());
}

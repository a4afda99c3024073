//! The parameters of `GET /api/v1/users/{id}/recommendations` besides the limit.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Catalogue, Peers, Profile, TestApp, TestResponse};

/// Twelve movies, ever less popular: genres and languages take turns, each is ten years older than the one before.
fn twelve() -> Catalogue {
    let movie = |id: i32| {
        let language = ["en", "fr", "ja"][id as usize % 3];
        Catalogue::movie(
            id,
            json!({
                "popularity": 100.0 / f64::from(id), "genre_ids": [id % 4], "runtime": 80 + id,
                "original_language": language, "vote_average": f64::from(id) / 2.0,
                "release_date": format!("{}-06-15", 2030 - 10 * id)
            }),
        )
    };
    Catalogue::of("1-1", (1..=12).map(movie).collect())
}

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(twelve()).await).await
}

async fn get(app: &TestApp, query: &str) -> TestResponse {
    let response = app.get(&format!("/api/v1/users/1/recommendations?{query}")).await;
    assert_eq!(response.status, StatusCode::OK, "{query} {:?}", response.body);
    response
}

#[sqlx::test(migrations = "./migrations")]
async fn filters_leave_out_what_is_not_wanted_and_say_how_much(pool: PgPool) {
    let app = app(pool).await;
    for (query, movies) in [
        ("with_genres=war", vec![4, 8, 12]),
        ("with_genres=War|3", vec![3, 4, 7, 8, 11, 12]),
        ("with_genres=War,Drama", vec![]),
        ("with_genres=Nothing", vec![]),
        ("without_genres=war|drama|COMEDY", vec![2, 6, 10]),
        ("year_gte=1990&year_lte=2010", vec![2, 3, 4]),
        ("runtime_lte=82", vec![1, 2]),
        ("with_original_language=JA", vec![2, 5, 8, 11]),
        ("vote_average_gte=5.5", vec![11, 12]),
        ("exclude_ids=1,2,3,4,5,6,7,8,9,99", vec![10, 11, 12]),
        ("with_genres=war&with_original_language=en", vec![12]),
    ] {
        let response = get(&app, query).await;
        assert_eq!(response.movies(), movies, "{query}");
        let excluded = json!({"seen": 0, "below_min_rating": 0, "filtered": 12 - movies.len()});
        assert_eq!(response.json()["excluded"], excluded, "{query}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn what_the_user_has_seen_or_finds_too_low_is_counted_apart(pool: PgPool) {
    let app = app(pool).await;
    let profile = Profile { seen: vec![1, 12, 99], min_rating: 2.0, watchlist: vec![5], ..Profile::default() };
    app.peers.set_profile(1, profile);
    let json = get(&app, "year_gte=1950").await.json();
    assert_eq!(json["excluded"], json!({"seen": 2, "below_min_rating": 2, "filtered": 3}));
    let marks: Vec<_> =
        json["recommendations"].as_array().unwrap().iter().map(|m| (&m["id"], &m["watchlisted"])).collect();
    let (yes, no) = (json!(true), json!(false));
    let ids: Vec<Value> = (4..=8).map(|id| json!(id)).collect();
    assert_eq!(marks, [(&ids[0], &no), (&ids[1], &yes), (&ids[2], &no), (&ids[3], &no), (&ids[4], &no)]);
    let json = get(&app, "include_seen=true").await.json();
    assert_eq!(json["excluded"], json!({"seen": 0, "below_min_rating": 3, "filtered": 0}));
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_follow_each_other(pool: PgPool) {
    let app = app(pool).await;
    for order in ["", "&diversity=0.7", "&explore=0.5&seed=3"] {
        let mut pages = Vec::new();
        for offset in [0, 5, 10, 15] {
            pages.extend(get(&app, &format!("limit=5&offset={offset}{order}")).await.movies());
        }
        assert_eq!(pages, get(&app, &format!("limit=50{order}")).await.movies(), "{order}");
        assert_eq!(pages.len(), 12);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn weights_count_for_one_request_only(pool: PgPool) {
    let app = app(pool).await;
    let plain = app.recommend(1).await;
    assert_eq!(get(&app, "weights=popularity:0,recency:0,rating:1").await.movies()[0], 12);
    let same = get(&app, "weights=popularity:0.4,recency:0.3,genre_match:0.3").await.json();
    assert_eq!(same["recommendations"], plain.json()["recommendations"]);
    assert_eq!(app.recommend(1).await.body, plain.body);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_explanation_has_each_rule_with_value_weight_and_contribution(pool: PgPool) {
    let app = app(pool).await;
    app.peers.set_profile(1, Profile { genres: vec!["Comedy"], ..Profile::default() });
    let json = get(&app, "explain=true").await.json();
    let third = json["recommendations"].as_array().unwrap().iter().find(|movie| movie["id"] == 3).expect("a comedy");
    assert_eq!(
        third["explanation"],
        json!([
            {"rule": "popularity", "value": 0.333333, "weight": 0.4, "contribution": 0.1333},
            {"rule": "recency", "value": 0.0, "weight": 0.3, "contribution": 0.0},
            {"rule": "genre_match", "value": 1.0, "weight": 0.3, "contribution": 0.3},
        ])
    );
    assert!(app.recommend(1).await.json()["recommendations"][0].get("explanation").is_none());
}

#[sqlx::test(migrations = "./migrations")]
async fn the_strategy_is_said_and_feedback_makes_lists_personal_and_name_a_movie(pool: PgPool) {
    let app = app(pool).await;
    assert_eq!(app.recommend(1).await.json()["strategy"], "popular");
    app.peers.set_profile(1, Profile { genres: vec!["War"], ..Profile::default() });
    assert_eq!(app.recommend(1).await.json()["strategy"], "preferences_only");
    app.peers.set_profile(1, Profile::liking(&[3]));
    let json = get(&app, "weights=popularity:0,rating:0&explain=1").await.json();
    assert_eq!(json["strategy"], "personalised");
    let first = &json["recommendations"][0];
    // 7 and 11 have its genre; the language and the decade of 11 are less common, so that not liking them yet says less.
    assert_eq!((&first["id"], &first["reason"]), (&json!(11), &json!("because you liked Movie 3")));
    let learned = first["explanation"].as_array().unwrap().iter().find(|part| part["rule"] == "affinity").unwrap();
    assert_eq!(learned["sources"], json!([{"movie_id": 3, "title": "Movie 3", "share": 1.0}]));
    assert_eq!(get(&app, "strategy=popular").await.json()["strategy"], "popular");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_wrong_parameter_is_400_and_named(pool: PgPool) {
    let app = app(pool).await;
    for (query, field) in [
        ("offset=-1", "offset"),
        ("strategy=best", "strategy"),
        ("with_genres=a,b|c", "with_genres"),
        ("year_gte=0", "year_gte"),
        ("runtime_lte=x", "runtime_lte"),
        ("vote_average_gte=11", "vote_average_gte"),
        ("exclude_ids=a", "exclude_ids"),
        ("weights=popularity:-1", "weights"),
        ("weights=popularity:NaN", "weights"),
        ("weights=weather:1", "weights"),
        ("diversity=2", "diversity"),
        ("seed=x", "seed"),
        ("explain=maybe", "explain"),
        ("diversty=1", "diversty"),
        ("diversity=1&utm=x", "utm"),
    ] {
        let response = app.get(&format!("/api/v1/users/1/recommendations?{query}")).await;
        assert_eq!((response.status, &response.json()["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{query}");
    }
}

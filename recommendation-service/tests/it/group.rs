//! `GET /api/v1/recommendations/group`.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Catalogue, PeerBehaviour, Peers, Profile, TestApp};

/// User 1 loves drama and has seen the most popular movie, user 2 prefers war; 3 stands on both watchlists.
async fn app(pool: PgPool) -> TestApp {
    let peers = Peers::start(Catalogue::small()).await;
    peers.set_profile(1, Profile { genres: vec!["Drama"], seen: vec![1], watchlist: vec![3, 4], ..Profile::default() });
    peers.set_profile(2, Profile { genres: vec!["Action"], watchlist: vec![1, 3], ..Profile::default() });
    TestApp::start(pool, peers).await
}

async fn group(app: &TestApp, query: &str) -> Value {
    let response = app.get(&format!("/api/v1/recommendations/group?{query}")).await;
    assert_eq!(response.status, StatusCode::OK, "{query} {:?}", response.body);
    response.json()
}

/// Id, score, and each member's score.
fn shown(list: &Value) -> Vec<(i64, f64, Vec<f64>)> {
    let movies = list["recommendations"].as_array().unwrap().iter();
    let members =
        |movie: &Value| movie["members"].as_array().unwrap().iter().map(|m| m["score"].as_f64().unwrap()).collect();
    movies.map(|movie| (movie["id"].as_i64().unwrap(), movie["score"].as_f64().unwrap(), members(movie))).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn what_nobody_has_seen_is_ranked_by_the_members_scores_after_what_all_want_to_watch(pool: PgPool) {
    let app = app(pool).await;
    // Popularity is measured by 2, the most popular that nobody has seen: 0.4 + 0.3/2 for both; 0.2 + 0.3 and 0.2.
    let expected = |scores: [f64; 3]| {
        let members = [vec![0.5, 0.2], vec![0.55, 0.55], vec![0.0, 0.0]];
        [3, 2, 4]
            .into_iter()
            .zip(scores)
            .zip(members)
            .map(|((id, score), members)| (id, score, members))
            .collect::<Vec<_>>()
    };
    for (strategy, scores) in [
        ("", [0.35, 0.55, 0.0]),
        ("&strategy=average", [0.35, 0.55, 0.0]),
        ("&strategy=least_misery", [0.2, 0.55, 0.0]),
        ("&strategy=most_pleasure", [0.5, 0.55, 0.0]),
    ] {
        let list = group(&app, &format!("users=1,2{strategy}")).await;
        assert_eq!(shown(&list), expected(scores), "{strategy}");
        assert_eq!(list["excluded"], json!({"seen": 1, "below_min_rating": 0, "filtered": 0}));
    }
    let mut list = group(&app, "users=2,1&limit=1").await;
    list["generated_at"] = "[time]".into();
    list["recommendation_id"] = "[id]".into();
    insta::assert_json_snapshot!(list);
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_follow_each_other_and_filters_count(pool: PgPool) {
    let app = app(pool).await;
    let mut pages = Vec::new();
    for offset in 0..4 {
        pages.extend(shown(&group(&app, &format!("users=1,2&limit=1&offset={offset}")).await));
    }
    assert_eq!(pages, shown(&group(&app, "users=1,2").await));
    let list = group(&app, "users=1,2&with_genres=action").await;
    assert_eq!((shown(&list)[0].0, &list["excluded"]["filtered"]), (2, &json!(2)));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_wrong_group_is_400_and_an_unknown_member_404(pool: PgPool) {
    let app = app(pool).await;
    let fifty_one = (1..=51).map(|user| user.to_string()).collect::<Vec<_>>().join(",");
    for users in [
        "users=1",
        "users=1,1",
        "users=",
        "users=1,x",
        "users=0,1",
        "users=1,+1",
        "limit=3",
        &format!("users={fifty_one}"),
    ] {
        let response = app.get(&format!("/api/v1/recommendations/group?{users}")).await;
        assert_eq!((response.status, &response.json()["field"]), (StatusCode::BAD_REQUEST, &json!("users")), "{users}");
    }
    assert_eq!(app.get("/api/v1/recommendations/group?users=1,2&strategy=best").await.status, StatusCode::BAD_REQUEST);
    for users in ["1,7", "1,99999999999999999999"] {
        let response = app.get(&format!("/api/v1/recommendations/group?users={users}")).await;
        assert_eq!(
            (response.status, &response.json()["code"]),
            (StatusCode::NOT_FOUND, &json!("user_not_found")),
            "{users}"
        );
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn without_the_members_profiles_the_list_is_general_and_says_so(pool: PgPool) {
    let app = app(pool).await;
    app.peers.user_service(PeerBehaviour::Status(503));
    let list = group(&app, "users=1,2").await;
    assert_eq!(list["degraded"], true);
    assert_eq!(shown(&list).iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

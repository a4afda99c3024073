//! `POST /api/v1/recommendations`, and `GET /api/v1/movies/{id}/also-liked` while there is no model.

use axum::http::{Method, StatusCode};
use serde_json::json;
use sqlx::PgPool;

use crate::support::{Catalogue, Peers, TestApp};

const PATH: &str = "/api/v1/recommendations";

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

#[sqlx::test(migrations = "./migrations")]
async fn a_visitor_gets_a_list_from_what_the_body_says_and_nothing_of_that_is_kept(pool: PgPool) {
    let app = app(pool).await;
    let body = json!({"liked": [3], "disliked": [1], "ratings": {"77": 8.5}, "preferred_genres": ["drama"]});
    let response = app.post(&format!("{PATH}?explain=true"), &body).await;
    assert_eq!((response.status, response.movies()), (StatusCode::OK, vec![2, 4]), "{:?}", response.body);
    let json = response.json();
    assert!(json.get("user_id").is_none());
    assert_eq!((&json["strategy"], &json["excluded"]["seen"]), (&json!("personalised"), &json!(2)));
    assert_eq!(
        json["recommendations"][0]["reason"],
        "because you liked Movie 3, highly popular, matches your preferred genres"
    );
    assert_eq!(app.peers.profile_calls() + app.peers.revision_calls(), 0);
    assert!(app.app.lists.flushed().await);
    let snapshots: i64 =
        sqlx::query_scalar("SELECT count(*) FROM user_recommendation_snapshots").fetch_one(&app.pool).await.unwrap();
    assert!(app.cache_keys().await.is_empty() && snapshots == 0);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_visitor_who_says_nothing_gets_what_is_popular(pool: PgPool) {
    let app = app(pool).await;
    let response = app.post(PATH, &json!({})).await;
    assert_eq!((response.movies(), &response.json()["strategy"]), (vec![1, 2, 3, 4], &json!("popular")));
    assert_eq!(app.post(&format!("{PATH}?limit=1&offset=2"), &json!({})).await.movies(), [3]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_wrong_body_or_parameter_is_400_and_named(pool: PgPool) {
    let app = app(pool).await;
    for (query, body, field) in [
        ("", json!({"liked": "1"}), "liked"),
        ("", json!({"liked": [0]}), "liked"),
        ("", json!({"ratings": {"1": 11}}), "ratings"),
        ("?diversity=2", json!({}), "diversity"),
        ("?include_sen=1", json!({}), "include_sen"),
    ] {
        let response = app.post(&format!("{PATH}{query}"), &body).await;
        assert_eq!((response.status, &response.json()["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{body}");
    }
    let response = app.post(PATH, &json!([])).await;
    assert_eq!((response.status, response.error().as_str()), (StatusCode::BAD_REQUEST, "invalid request body"));
    let get = app.request(Method::GET, PATH).await;
    assert_eq!((get.status, get.headers["allow"].as_bytes()), (StatusCode::METHOD_NOT_ALLOWED, b"POST".as_slice()));
}

#[sqlx::test(migrations = "./migrations")]
async fn without_a_model_nothing_was_also_liked(pool: PgPool) {
    let app = app(pool).await;
    let response = app.get("/api/v1/movies/1/also-liked").await;
    assert_eq!(response.json(), json!({"movie_id": 1, "model_version": "", "movies": []}));
    for (id, status, error) in [
        ("99", StatusCode::NOT_FOUND, "movie not found"),
        ("99999999999999999999", StatusCode::NOT_FOUND, "movie not found"),
        ("0", StatusCode::BAD_REQUEST, "invalid movie ID"),
        ("x", StatusCode::BAD_REQUEST, "invalid movie ID"),
    ] {
        let response = app.get(&format!("/api/v1/movies/{id}/also-liked")).await;
        assert_eq!((response.status, response.error().as_str()), (status, error), "{id}");
    }
    assert_eq!(app.get("/api/v1/movies/1/also-liked?limits=3").await.status, StatusCode::BAD_REQUEST);
}

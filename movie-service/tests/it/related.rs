//! `GET /api/v1/movies/tmdb/{tmdb_id}` and `GET /api/v1/movies/{id}/similar`.

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, eventually};

async fn cached(app: &TestApp, key: &str) {
    eventually(key, || async { app.redis_text("GET", &[key]).await.is_some() }).await;
}

async fn seconds_left(app: &TestApp, key: &str) -> i64 {
    redis::cmd("TTL").arg(key).query_async(&mut app.redis.clone()).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_movie_is_found_by_its_id_at_tmdb(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "Other", None, None).await;
    app.movie(603, "The Matrix", Some("1999-03-31"), Some(85.0)).await;
    let detail = app.get("/api/v1/movies/2").await;
    for id in ["603", "+603", "0603", "%36%30%33", "603/"] {
        let reply = app.get(&format!("/api/v1/movies/tmdb/{id}")).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &detail.body), "{id}");
        assert_eq!((reply.header("etag"), reply.header("cache-control")), (detail.header("etag"), "no-cache"), "{id}");
    }
    let head = app.send(Method::HEAD, "/api/v1/movies/tmdb/603").await;
    assert_eq!((head.status.as_u16(), head.header("etag"), head.body.len()), (200, detail.header("etag"), 0));
    let request = Request::get("/api/v1/movies/tmdb/603").header("if-none-match", detail.header("etag"));
    assert_eq!(app.request(request.body(Body::empty()).unwrap()).await.status, 304);
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_not_an_id_at_tmdb_is_refused(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    // The sample's movies have negative ones, and some movies none.
    app.execute("INSERT INTO movies (tmdb_id, title) VALUES (-1, 'Sample'), (NULL, 'By hand'), (7, 'Seven')").await;
    for id in ["abc", "1.0", "1e3", "0x7", "%00", "7%00", "%ff", "%zz", "7%2F7", "%D9%A7", "-", "7%20"] {
        let reply = app.get(&format!("/api/v1/movies/tmdb/{id}")).await;
        reply.assert_error(400, "invalid TMDB ID");
        assert_eq!((&reply.json()["code"], &reply.json()["field"]), (&json!("invalid_tmdb_id"), &json!("tmdb_id")));
    }
    let long = "9".repeat(10_000);
    for id in ["1", "0", "-1", "-0", "2147483647", "2147483648", "18446744073709551616", &long] {
        app.get(&format!("/api/v1/movies/tmdb/{id}")).await.assert_error(404, "movie not found");
    }
    app.get("/api/v1/movies/tmdb").await.assert_error(400, "invalid movie ID");
    app.get("/api/v1/movies/tmdb/").await.assert_error(400, "invalid movie ID");
    app.get("/api/v1/movies/tmdb/7/similar").await.assert_error(404, "Not Found");
    app.send(Method::POST, "/api/v1/movies/tmdb/7").await.assert_error(405, "Method Not Allowed");
}

#[sqlx::test(migrations = "./migrations")]
async fn related_reads_are_cached_until_the_next_change(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    app.execute("UPDATE movies SET tmdb_id = 603 WHERE id = 1").await;
    for (path, key, seconds) in [
        ("/api/v1/movies/tmdb/603", "movie:tmdb:603", 1800),
        ("/api/v1/movies/+1/similar", "movie:similar:1:10", 300),
        ("/api/v1/movies/1/similar?limit=3", "movie:similar:1:3", 300),
    ] {
        let first = app.get(path).await;
        cached(&app, key).await;
        assert!((seconds - 10..=seconds).contains(&seconds_left(&app, key).await), "{key}");
        app.execute("UPDATE movies SET title = md5(random()::text)").await;
        let second = app.get(path).await;
        assert_eq!((&second.body, second.header("etag")), (&first.body, first.header("etag")), "{path}");
        app.sync(1).await;
        app.execute("UPDATE movies SET title = md5(random()::text)").await;
        let third = app.get(path).await;
        assert_ne!((&third.body, third.header("etag")), (&first.body, first.header("etag")), "{path}");
    }
}

/// The Matrix and movies more and less like it.
async fn catalogue(pool: &PgPool) -> TestApp {
    let app = TestApp::new(pool).await;
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (878, 'Science Fiction'), (28, 'Action'), (10749, 'Romance');
         INSERT INTO movies (tmdb_id, title, release_date, popularity, poster_path, original_language, vote_average, vote_count)
         VALUES (603, 'The Matrix', '1999-03-31', 85.0, '/m.jpg', 'en', 8.2, 26000),
                (604, 'The Matrix Reloaded', '2003-05-15', 60.1, '/r.jpg', 'en', 7.0, 10500),
                (701, 'Old Robots', '1927-01-10', 3.0, NULL, 'de', 8.2, 3000),
                (702, 'Love at Noon', '1999-03-31', 99.0, NULL, 'en', 9.0, 30000),
                (703, 'Unknown', NULL, NULL, NULL, NULL, NULL, NULL),
                (704, 'Genreless', '1999-03-31', 50.0, NULL, 'en', 9.0, 30000),
                (705, 'Genreless and Unknown', NULL, NULL, NULL, NULL, NULL, NULL);
         INSERT INTO movie_genres VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 3), (5, 1), (5, 2), (5, 3)",
    )
    .await;
    app
}

fn titles(reply: &Value) -> Vec<(&str, f64)> {
    let movies = reply["similar"].as_array().unwrap().iter();
    movies.map(|movie| (movie["title"].as_str().unwrap(), movie["score"].as_f64().unwrap())).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn similar_movies_share_a_genre_and_say_why_they_are(pool: PgPool) {
    let app = catalogue(&pool).await;
    let reply = app.get("/api/v1/movies/1/similar").await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    let similar = reply.json();
    assert_eq!(similar["movie_id"], 1);
    assert_eq!(
        similar["similar"][0],
        json!({"id": 2, "title": "The Matrix Reloaded", "release_date": "2003-05-15", "popularity": 60.1,
            "poster_url": "https://image.tmdb.org/t/p/w500/r.jpg", "score": 0.9131,
            "why": ["shares Action, Science Fiction", "same language", "released within 5 years"]})
    );
    let expected = [("The Matrix Reloaded", 0.9131), ("Unknown", 0.4233), ("Old Robots", 0.3683)];
    assert_eq!(titles(&similar), expected, "neither itself nor what shares no genre");
    assert_eq!(similar["similar"][2]["why"], json!(["shares Science Fiction", "well rated by many"]));
    assert_eq!(
        (&similar["similar"][1]["release_date"], &similar["similar"][1]["popularity"]),
        (&json!(""), &json!(0.0))
    );
    assert_eq!(titles(&app.get("/api/v1/movies/1/similar?limit=1").await.json()), expected[..1]);
    // The same the other way round, but for the votes.
    assert_eq!(titles(&app.get("/api/v1/movies/2/similar?limit=1").await.json())[0].0, "The Matrix");
}

#[sqlx::test(migrations = "./migrations")]
async fn to_a_movie_without_genres_those_of_its_language_and_time_are_similar(pool: PgPool) {
    let app = catalogue(&pool).await;
    let similar = app.get("/api/v1/movies/6/similar").await.json();
    let expected = [("Love at Noon", 1.0), ("The Matrix", 1.0), ("The Matrix Reloaded", 0.8822)];
    assert_eq!(titles(&similar), expected, "by popularity where the score is the same");
    assert_eq!(similar["similar"][0]["why"], json!(["same language", "released within 5 years"]));
    assert_eq!(app.get("/api/v1/movies/7/similar").await.json(), json!({"movie_id": 7, "similar": []}));
}

#[sqlx::test(migrations = "./migrations")]
async fn similar_takes_a_movie_and_a_limit(pool: PgPool) {
    let app = catalogue(&pool).await;
    let long = format!("limit={}", "1".repeat(10_000));
    for query in [
        "limit=",
        "limit",
        "limit=0",
        "limit=51",
        "limit=-1",
        "limit=x",
        "limit=NaN",
        "limit=1.5",
        "limit=1&limit=1",
        "limit=%00",
        "limit=%ff",
        "limit=%zz",
        &long,
    ] {
        let reply = app.get(&format!("/api/v1/movies/1/similar?{query}")).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["field"]), (400, &json!("limit")), "{query}");
        assert!(reply.json()["error"].as_str().unwrap().starts_with("invalid limit, expected "), "{query}");
    }
    for id in ["abc", "%ff", "1e3"] {
        app.get(&format!("/api/v1/movies/{id}/similar?limit=x")).await.assert_error(400, "invalid movie ID");
    }
    for id in ["99", "0", "-1", "2147483648"] {
        app.get(&format!("/api/v1/movies/{id}/similar")).await.assert_error(404, "movie not found");
    }
    let reply = app.get("/api/v1/movies/1/similar?limit=50").await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-cache"));
    let request = Request::get("/api/v1/movies/1/similar?limit=50").header("if-none-match", reply.header("etag"));
    assert_eq!(app.request(request.body(Body::empty()).unwrap()).await.status, 304);
}

#[sqlx::test(migrations = "./migrations")]
async fn without_a_database_related_reads_are_unavailable(pool: PgPool) {
    let app = TestApp::with(&pool, &[("DB_PORT", "1"), ("DB_ACQUIRE_TIMEOUT_MS", "200")]).await;
    for path in ["/api/v1/movies/tmdb/603", "/api/v1/movies/1/similar"] {
        app.get(path).await.assert_error(503, "database unavailable");
    }
}

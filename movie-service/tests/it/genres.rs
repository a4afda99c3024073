//! `GET /api/v1/genres`.

use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestApp, eventually};

#[sqlx::test(migrations = "./migrations")]
async fn genres_are_listed_by_name_with_the_number_of_their_movies(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    assert_eq!(app.get("/api/v1/genres").await.text(), r#"{"genres":[]}"#);
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (18, 'War'), (28, 'Action'), (99, 'Documentary');
         INSERT INTO movies (tmdb_id, title) VALUES (1, 'One'), (2, 'Two');
         INSERT INTO movie_genres VALUES (1, 1), (2, 1), (2, 2);",
    )
    .await;
    app.redis_do("FLUSHDB", &[]).await;
    let reply = app.get("/api/v1/genres?nonsense=1").await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    let expected = json!({"genres": [
        {"id": 2, "name": "Action", "movies": 1},
        {"id": 3, "name": "Documentary", "movies": 0},
        {"id": 1, "name": "War", "movies": 2},
    ]});
    assert_eq!(reply.json(), expected);
}

#[sqlx::test(migrations = "./migrations")]
async fn genres_are_cached_until_the_next_sync(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    let first = app.get("/api/v1/genres").await;
    assert_eq!(first.json()["genres"].as_array().unwrap().len(), 19);
    eventually("it is cached", || async { app.redis_text("GET", &["movies:genres"]).await.is_some() }).await;
    app.execute("DELETE FROM movie_genres").await;
    assert_eq!(app.get("/api/v1/genres").await.body, first.body);
    app.sync(1).await;
    app.execute("DELETE FROM movie_genres").await;
    assert_eq!(app.get("/api/v1/genres").await.json()["genres"][0]["movies"], 0);
}

//! `GET /api/v1/movies/{id}`.

use serde_json::Value;
use sqlx::PgPool;

use crate::support::TestApp;

/// A movie whose times are checked and gone.
fn without_times(mut movie: Value) -> Value {
    for name in ["created_at", "updated_at"] {
        let time = movie.as_object_mut().unwrap().remove(name).unwrap();
        let time = time.as_str().unwrap();
        assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{name}: {time}");
    }
    movie
}

#[sqlx::test(migrations = "./migrations")]
async fn a_movie_has_the_fields_of_the_contract(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (53, 'Thriller'), (28, 'Action'), (10770, 'TV Movie');
         INSERT INTO movies (tmdb_id, title, overview, release_date, popularity, poster_path, backdrop_path,
                             original_language, runtime, vote_average, vote_count)
         VALUES (603, 'The Matrix', 'A hacker wakes up.', '1999-03-31', 85.25, '/p.jpg', '/b.jpg', 'en', 136, 8.2, 9);
         INSERT INTO movie_genres VALUES (1, 1), (1, 2), (1, 3);",
    )
    .await;
    insta::assert_json_snapshot!(without_times(app.get("/api/v1/movies/1").await.json()));
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_unknown_is_empty_or_zero(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "Bare", None, None).await;
    insta::assert_json_snapshot!(without_times(app.get("/api/v1/movies/1").await.json()));
}

#[sqlx::test(migrations = "./migrations")]
async fn an_id_is_a_decimal_number(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    for id in ["1", "+1", "001", "%31", "%2B1", "1/"] {
        assert_eq!(app.get(&format!("/api/v1/movies/{id}")).await.json()["title"], "One", "{id}");
    }
    for id in
        ["abc", "1.0", "1e3", "0x1", "%00", "1%00", "%ff", "%zz", "1%2F2", "%D9%A1", "%EF%BC%91", "-", "1%20", "..."]
    {
        app.get(&format!("/api/v1/movies/{id}")).await.assert_error(400, "invalid movie ID");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_number_that_no_movie_has_is_not_found(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let long = "9".repeat(10_000);
    for id in ["1", "0", "-0", "-1", "2147483647", "2147483648", "9223372036854775808", "18446744073709551616", &long] {
        app.get(&format!("/api/v1/movies/{id}")).await.assert_error(404, "movie not found");
    }
}

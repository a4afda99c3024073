//! `POST /api/v1/movies`, `PUT`, `PATCH` and `DELETE` on `/api/v1/movies/{id}`.

use axum::http::Method;
use futures_util::future::join_all;
use movie_service::{handler::conditional::etag, service::movies::HashedBody};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::TestApp;

pub const GENRES: &str = "INSERT INTO genres (tmdb_id, name) VALUES (28, 'Action'), (18, 'Drama'), (53, 'Thriller')";

fn full() -> Value {
    json!({
        "title": "The Matrix", "original_title": "Matrix", "overview": "A hacker wakes up.",
        "release_date": "1999-03-31", "genres": ["drama", 1, "ACTION"], "language": "EN", "duration": 136,
        "popularity": 85.5, "vote_average": 8.2, "vote_count": 9, "poster_url": "/p.jpg",
        "backdrop_url": "https://image.tmdb.org/t/p/w780/b.jpg", "tmdb_id": 603, "unknown": [1]
    })
}

/// A movie without what differs from run to run.
fn fixed(mut movie: Value) -> Value {
    for name in ["created_at", "updated_at"] {
        movie.as_object_mut().unwrap().remove(name).unwrap();
    }
    movie
}

#[sqlx::test(migrations = "./migrations")]
async fn a_movie_is_created_and_answered_as_it_is_read(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    let created = app.write(Method::POST, "/api/v1/movies", full().to_string()).await;
    assert_eq!((created.status.as_u16(), created.header("location")), (201, "/api/v1/movies/1"), "{}", created.text());
    assert_eq!(created.header("content-type"), "application/json");
    let read = app.get("/api/v1/movies/1").await;
    assert_eq!(created.text(), read.text(), "the very bytes");
    assert_eq!(created.header("etag"), etag(&HashedBody::of(read.body.clone())));
    insta::assert_json_snapshot!(fixed(created.json()));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_title_is_enough(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for body in
        [r#"{"title":"Bare"}"#, r#"{"title":"Bare","genres":null,"duration":null,"tmdb_id":null,"locked_fields":null}"#]
    {
        let movie = app.write(Method::POST, "/api/v1/movies", body).await;
        assert_eq!(movie.status, 201, "{}", movie.text());
        let mut movie = fixed(movie.json());
        movie["id"] = 1.into();
        insta::assert_json_snapshot!("bare", movie);
    }
    assert_eq!(
        app.count("SELECT count(*) FROM movies WHERE runtime IS NULL AND release_date IS NULL AND vote_count IS NULL")
            .await,
        2
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn empty_texts_and_zero_minutes_mean_unknown(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let body = json!({ "title": "x", "original_title": "", "overview": "", "release_date": "", "language": "",
                       "duration": 0, "poster_url": "", "backdrop_url": "", "genres": [] });
    assert_eq!(app.write(Method::POST, "/api/v1/movies", body.to_string()).await.status, 201);
    let unknown =
        "SELECT count(*) FROM movies WHERE num_nulls(original_title, release_date, original_language, runtime,
                                                             poster_path, backdrop_path) = 6";
    assert_eq!(app.count(unknown).await, 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_put_replaces_everything_but_the_id_at_tmdb(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    let created = app.write(Method::POST, "/api/v1/movies", full().to_string()).await.json();
    let put = app.write(Method::PUT, "/api/v1/movies/1", r#"{"title":"New","genres":["thriller"]}"#).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(put.text(), app.get("/api/v1/movies/1").await.text());
    let movie = put.json();
    assert_eq!((&movie["created_at"], &movie["tmdb_id"]), (&created["created_at"], &json!(603)));
    assert_ne!(movie["updated_at"], created["updated_at"]);
    insta::assert_json_snapshot!(fixed(movie));
    let put = app.write(Method::PUT, "/api/v1/movies/1", r#"{"title":"New","tmdb_id":604}"#).await;
    assert_eq!(put.json()["tmdb_id"], 604);
    assert_eq!(put.json()["genres"], json!([]));
    app.write(Method::PUT, "/api/v1/movies/1", r#"{"genres":["Drama"]}"#)
        .await
        .assert_error(400, "invalid title, expected a title of 1 to 500 characters that is not blank");
}

#[sqlx::test(migrations = "./migrations")]
async fn what_was_read_can_be_put_back(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    let created = app.write(Method::POST, "/api/v1/movies", full().to_string()).await;
    let put = app.write(Method::PUT, "/api/v1/movies/1", created.body.clone()).await;
    assert_eq!((put.status.as_u16(), put.text()), (200, created.text()), "nothing changed, so nothing was written");
    app.sync(1).await;
    let sample: Vec<i32> = sqlx::query_scalar("SELECT id FROM movies ORDER BY id").fetch_all(&pool).await.unwrap();
    assert!(sample.len() > 100);
    for id in sample {
        let path = format!("/api/v1/movies/{id}");
        let read = app.get(&path).await;
        assert_eq!(app.write(Method::PUT, &path, read.body.clone()).await.text(), read.text());
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_not_known_stays_so_when_it_is_put_back(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(
        "INSERT INTO movies (title, popularity, vote_average, vote_count) VALUES ('Bare', NULL, NULL, NULL),
             ('Without votes', 0, 8.2, 0), ('Half', NULL, 8.2, NULL), ('Zeros', 0, 0, 0), ('Rated', 1, 0, 9)",
    )
    .await;
    let stored = async || -> Vec<String> {
        sqlx::query_scalar("SELECT m::text FROM movies m ORDER BY id").fetch_all(&app.pool).await.unwrap()
    };
    let before = stored().await;
    for id in 1..=5 {
        let path = format!("/api/v1/movies/{id}");
        let read = app.get(&path).await;
        let mut unlocked = read.json();
        unlocked.as_object_mut().unwrap().remove("locked_fields");
        for (method, body) in [
            (Method::PUT, read.text().to_owned()),
            (Method::PUT, unlocked.to_string()),
            (Method::PATCH, read.text().to_owned()),
        ] {
            assert_eq!(app.write(method, &path, body).await.text(), read.text());
        }
    }
    assert_eq!(stored().await, before);
    // With votes, what was sent is what counts.
    let body = r#"{"title":"Half","vote_average":0,"vote_count":3,"popularity":0}"#;
    let put = app.write(Method::PUT, "/api/v1/movies/3", body).await.json();
    assert_eq!((&put["vote_average"], &put["vote_count"]), (&json!(0.0), &json!(3)));
    assert_eq!(put["locked_fields"], json!(["vote_average", "vote_count"]), "the popularity is not known as before");
    let put = app.write(Method::PATCH, "/api/v1/movies/1", r#"{"vote_average":7}"#).await.json();
    assert_eq!(put["vote_average"], 0.0, "not shown yet");
    assert_eq!(app.write(Method::PATCH, "/api/v1/movies/1", r#"{"vote_count":1}"#).await.json()["vote_average"], 7.0);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_put_locks_what_it_changes(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    let mut movie = full();
    movie["locked_fields"] = json!(["duration"]);
    let mut movie = app.write(Method::POST, "/api/v1/movies", movie.to_string()).await.json();
    movie.as_object_mut().unwrap().remove("locked_fields");
    for (field, value) in [
        ("backdrop_url", json!("")),
        ("genres", json!(["Drama"])),
        ("language", json!("fr")),
        ("original_title", json!("x")),
        ("overview", json!("x")),
        ("popularity", json!(1)),
        ("poster_url", json!("/x")),
        ("release_date", json!("")),
        ("title", json!("x")),
        ("vote_average", json!(1)),
        ("vote_count", json!(1)),
    ] {
        let mut changed = movie.clone();
        changed[field] = value;
        let put = app.write(Method::PUT, "/api/v1/movies/1", changed.to_string()).await.json();
        let mut expected = vec!["duration", field];
        expected.sort_unstable();
        assert_eq!(put["locked_fields"], json!(expected));
        movie["locked_fields"] = json!(["duration"]);
        app.write(Method::PUT, "/api/v1/movies/1", movie.to_string()).await;
        movie.as_object_mut().unwrap().remove("locked_fields");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_patch_sets_what_it_names_and_null_resets(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    let created = app.write(Method::POST, "/api/v1/movies", full().to_string()).await.json();
    let mut expected = fixed(created);
    for (patch, changes) in [
        (json!({ "title": "New" }), json!({ "title": "New" })),
        (json!({ "genres": [3] }), json!({ "genres": ["Thriller"] })),
        (json!({ "genres": null, "overview": null }), json!({ "genres": [], "overview": "" })),
        (json!({ "duration": null, "release_date": null }), json!({ "duration": 0, "release_date": "" })),
        (json!({ "poster_url": null, "tmdb_id": null }), json!({ "poster_url": "", "tmdb_id": null })),
        (json!({ "vote_count": null }), json!({ "vote_count": 0, "vote_average": 0.0 })),
        (json!({ "unknown": 1 }), json!({})),
        (json!({}), json!({})),
    ] {
        let reply = app.write(Method::PATCH, "/api/v1/movies/1", patch.to_string()).await;
        assert_eq!(reply.status, 200, "{patch}: {}", reply.text());
        expected.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        assert_eq!(fixed(reply.json()), expected, "{patch}");
        assert_eq!(reply.text(), app.get("/api/v1/movies/1").await.text());
        assert_eq!(reply.header("etag"), etag(&HashedBody::of(reply.body.clone())));
    }
    app.write(Method::PATCH, "/api/v1/movies/1", r#"{"title":null}"#)
        .await
        .assert_error(400, "invalid title, expected a title of 1 to 500 characters that is not blank");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_patch_that_changes_nothing_writes_nothing(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    let created = app.write(Method::POST, "/api/v1/movies", full().to_string()).await;
    for patch in [r#"{}"#, r#"{"title":"The Matrix","genres":["action","Drama","drama"]}"#] {
        assert_eq!(app.write(Method::PATCH, "/api/v1/movies/1", patch).await.text(), created.text(), "{patch}");
    }
    assert_eq!(app.count("SELECT count(*) FROM movies WHERE updated_at = created_at").await, 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn the_hidden_id_of_the_sample_stays(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(-5, "Sample", None, None).await;
    for (method, body) in [
        (Method::PUT, r#"{"title":"a"}"#),
        (Method::PUT, r#"{"title":"b","tmdb_id":null}"#),
        (Method::PATCH, r#"{"tmdb_id":null,"title":"c"}"#),
    ] {
        assert_eq!(app.write(method, "/api/v1/movies/1", body).await.json()["tmdb_id"], Value::Null);
        assert_eq!(app.count("SELECT tmdb_id::bigint FROM movies").await, -5, "{body}");
    }
    assert_eq!(app.write(Method::PATCH, "/api/v1/movies/1", r#"{"tmdb_id":7}"#).await.json()["tmdb_id"], 7);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_movie_is_deleted_once(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    app.write(Method::POST, "/api/v1/movies", full().to_string()).await;
    assert_eq!(app.list("").await["total_results"], 1);
    let deleted = app.send(Method::DELETE, "/api/v1/movies/1").await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    app.get("/api/v1/movies/1").await.assert_error(404, "movie not found");
    assert_eq!(app.list("").await["total_results"], 0);
    app.send(Method::DELETE, "/api/v1/movies/1").await.assert_error(404, "movie not found");
    app.send(Method::DELETE, "/api/v1/movies/abc").await.assert_error(400, "invalid movie ID");
    assert_eq!(app.count("SELECT count(*) FROM movie_genres").await, 0);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_id_at_tmdb_belongs_to_one_movie(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let post = || app.write(Method::POST, "/api/v1/movies", r#"{"title":"Twice","tmdb_id":7}"#);
    let mut statuses: Vec<_> =
        join_all((0..6).map(|_| post())).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409], "at the same time");
    let reply = post().await;
    reply.assert_error(409, "tmdb_id already exists");
    assert_eq!((&reply.json()["code"], &reply.json()["field"]), (&json!("tmdb_id_exists"), &json!("tmdb_id")));
    let other = app.write(Method::POST, "/api/v1/movies", r#"{"title":"Other"}"#).await;
    let path = other.header("location");
    for method in [Method::PUT, Method::PATCH] {
        app.write(method, path, r#"{"title":"New","tmdb_id":7}"#).await.assert_error(409, "tmdb_id already exists");
    }
    assert_eq!(app.get(path).await.text(), other.text(), "and nothing was changed");
}

#[sqlx::test(migrations = "./migrations")]
async fn what_was_cached_is_not_answered_after_a_write_here_or_elsewhere(pool: PgPool) {
    let settings = crate::support::settings(&pool).await;
    let (app, other) = (TestApp::from_settings(&pool, &settings).await, TestApp::from_settings(&pool, &settings).await);
    app.execute(GENRES).await;
    let reads = ["/api/v1/movies", "/api/v1/movies/1", "/api/v1/genres"];
    let look = async || {
        let mut seen = Vec::new();
        for path in reads {
            // The second one from the cache.
            seen.push([app.get(path).await.body, other.get(path).await.body, app.get(path).await.body]);
        }
        seen
    };
    app.write(Method::POST, "/api/v1/movies", r#"{"title":"First"}"#).await;
    for (method, path, body) in [
        (Method::PATCH, "/api/v1/movies/1", r#"{"title":"Second","genres":[1]}"#),
        (Method::PUT, "/api/v1/movies/1", r#"{"title":"Third","genres":[1,2]}"#),
        (Method::POST, "/api/v1/movies/bulk", r#"{"title":"Fourth","genres":[1]}"#),
        (Method::DELETE, "/api/v1/movies/1", ""),
    ] {
        let before = look().await;
        assert!(app.write(method.clone(), path, body).await.status.is_success(), "{method}");
        let after = look().await;
        for (before, after) in before.iter().zip(&after) {
            assert!(after.iter().all(|body| body == &after[0]), "{method}: both say the same");
            assert!(before[0] != after[0] || path.ends_with("bulk"), "{method}");
        }
        assert_ne!(before[0], after[0], "{method}: the list");
    }
}

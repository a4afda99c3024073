//! `If-Match`, and fields that are locked because people set them.

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{support::TestApp, write_movies::GENRES};

const MOVIE: &str = "/api/v1/movies/1";

#[sqlx::test(migrations = "./migrations")]
async fn a_change_is_made_only_to_what_its_author_has_seen(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let old = app.write(Method::POST, "/api/v1/movies", r#"{"title":"First"}"#).await;
    let old = old.header("etag");
    let new = app.write_if(Method::PATCH, MOVIE, &[old], r#"{"title":"Second"}"#).await;
    assert_eq!(new.status, 200, "{}", new.text());
    let tag = new.header("etag");
    let weak = format!("W/{tag}");
    for named in
        [vec![old], vec!["\"x\""], vec![""], vec![&weak], vec!["x", "\"y\", \"z\""], vec![&tag[1..tag.len() - 1]]]
    {
        for (method, body) in
            [(Method::PUT, r#"{"title":"x"}"#), (Method::PATCH, r#"{"title":"x"}"#), (Method::DELETE, "")]
        {
            let reply = app.write_if(method, MOVIE, &named, body).await;
            reply.assert_error(412, "the movie has changed");
            assert_eq!(reply.json()["code"], "precondition_failed");
        }
    }
    assert_eq!(app.get(MOVIE).await.text(), new.text(), "nothing was written");
    let list = format!("\"a\", {tag} ,\"b\"");
    for named in [vec!["*"], vec![tag], vec![&list], vec!["\"a\"", tag]] {
        assert_eq!(app.write_if(Method::PATCH, MOVIE, &named, "{}").await.status, 200, "{named:?}");
    }
    assert_eq!(app.write_if(Method::DELETE, MOVIE, &[tag], "").await.status, 204);
    for (method, body) in [(Method::PUT, r#"{"title":"x"}"#), (Method::PATCH, "{}"), (Method::DELETE, "")] {
        for named in [tag, "*"] {
            app.write_if(method.clone(), MOVIE, &[named], body).await.assert_error(404, "movie not found");
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn of_patches_at_the_same_time_with_the_same_tag_one_wins(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let created = app.write(Method::POST, "/api/v1/movies", r#"{"title":"First"}"#).await;
    let tag = [created.header("etag")];
    let patch = |number: usize| app.write_if(Method::PATCH, MOVIE, &tag, format!(r#"{{"title":"By {number}"}}"#));
    let mut statuses: Vec<_> = join_all((0..6).map(patch)).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
}

#[sqlx::test(migrations = "./migrations")]
async fn whatever_changes_what_is_shown_changes_the_tag(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    app.write(Method::POST, "/api/v1/movies", r#"{"title":"First","genres":["Action"]}"#).await;
    for change in
        ["UPDATE genres SET name = 'Aktion' WHERE id = 1", "UPDATE movies SET runtime = 7", "DELETE FROM movie_genres"]
    {
        let tag = app.write(Method::PATCH, MOVIE, "{}").await.header("etag").to_owned();
        app.execute(change).await;
        app.write_if(Method::DELETE, MOVIE, &[&tag], "").await.assert_error(412, "the movie has changed");
    }
}

fn locked(movie: &Value) -> Vec<&str> {
    movie["locked_fields"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn what_people_set_is_locked(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let (post, put, patch) = (Method::POST, Method::PUT, Method::PATCH);
    for (method, path, body, expected) in [
        (
            &post,
            "/api/v1/movies",
            json!({ "title": "x", "duration": 0, "tmdb_id": 7, "overview": null, "genres": [] }),
            &["duration", "genres", "title"][..],
        ),
        (&patch, MOVIE, json!({ "overview": null, "tmdb_id": 8 }), &["duration", "genres", "overview", "title"]),
        (
            &patch,
            MOVIE,
            json!({ "overview": "x", "locked_fields": ["title", "language", "title"] }),
            &["language", "title"],
        ),
        (&patch, MOVIE, json!({ "locked_fields": [] }), &[]),
        (&patch, MOVIE, json!({ "vote_count": 3 }), &["vote_count"]),
        (&patch, MOVIE, json!({ "locked_fields": null, "title": "y" }), &[]),
        (&put, MOVIE, json!({ "title": "x" }), &["overview", "title", "vote_count"]),
        (&put, MOVIE, json!({ "title": "x", "locked_fields": ["vote_average"] }), &["vote_average"]),
        (&put, MOVIE, json!({ "title": "z", "locked_fields": null }), &["title", "vote_average"]),
        (&put, MOVIE, json!({ "title": "x", "locked_fields": [] }), &[]),
        (&post, "/api/v1/movies", json!({ "title": "x", "locked_fields": [] }), &[]),
        (&post, "/api/v1/movies", json!({ "title": "x", "locked_fields": ["genres"] }), &["genres"]),
    ] {
        let reply = app.write(method.clone(), path, body.to_string()).await;
        assert!(reply.status.is_success(), "{}", reply.text());
        assert_eq!(locked(&reply.json()), expected, "{method} {body}");
    }
    app.write(
        Method::POST,
        "/api/v1/movies/bulk",
        "{\"title\":\"a\",\"language\":\"fr\"}\n{\"title\":\"b\",\"locked_fields\":[]}",
    )
    .await;
    assert_eq!(locked(&app.get("/api/v1/movies/4").await.json()), ["language", "title"]);
    assert_eq!(locked(&app.get("/api/v1/movies/5").await.json()), [""; 0]);
}

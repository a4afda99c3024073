//! `ETag`, `If-None-Match` and `Cache-Control` of what is read.

use axum::{
    body::Body,
    http::{Method, Request},
};
use sqlx::PgPool;

use crate::support::{TestApp, TestResponse, eventually};

const READS: [(&str, &str); 3] = [
    ("/api/v1/movies", "movies:list:1:20:popularity:desc::"),
    ("/api/v1/movies/1", "movie:detail:1"),
    ("/api/v1/genres", "movies:genres"),
];

async fn conditional(app: &TestApp, method: Method, path: &str, known: &[&[u8]]) -> TestResponse {
    let mut request = Request::builder().method(method).uri(path);
    for value in known {
        request = request.header("if-none-match", *value);
    }
    app.request(request.body(Body::empty()).unwrap()).await
}

async fn with_a_movie(pool: &PgPool, more: &[(&str, &str)]) -> TestApp {
    let app = TestApp::with(pool, more).await;
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (18, 'Drama');
         INSERT INTO movies (tmdb_id, title) VALUES (603, 'The Matrix');
         INSERT INTO movie_genres VALUES (1, 1)",
    )
    .await;
    app
}

#[sqlx::test(migrations = "./migrations")]
async fn whoever_has_the_answer_is_not_sent_it_again(pool: PgPool) {
    let app = with_a_movie(&pool, &[]).await;
    for (path, _) in READS {
        let first = app.get(path).await;
        let etag = first.header("etag").to_owned();
        assert!(etag.len() == 34 && etag.starts_with('"') && etag.ends_with('"'), "{path}: {etag}");
        assert_eq!(first.header("cache-control"), "no-cache", "{path}");
        let weak = format!("W/{etag}");
        let list = format!("\"x\", {weak} ,\"y\"");
        for known in
            [&[etag.as_bytes()][..], &[weak.as_bytes()], &[list.as_bytes()], &[b"*"], &[b"\"x\"", etag.as_bytes()]]
        {
            for method in [Method::GET, Method::HEAD] {
                let reply = conditional(&app, method, path, known).await;
                assert_eq!((reply.status.as_u16(), reply.body.len()), (304, 0), "{path}");
                assert_eq!(
                    (reply.header("etag"), reply.header("cache-control")),
                    (etag.as_str(), "no-cache"),
                    "{path}"
                );
                assert_eq!(reply.header("content-type"), "", "{path}");
                assert_eq!(reply.header("content-length"), first.body.len().to_string(), "never that of an empty body");
            }
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn whoever_has_something_else_is_sent_the_answer(pool: PgPool) {
    let app = with_a_movie(&pool, &[]).await;
    let long = "\"x\",".repeat(2_500);
    for (path, _) in READS {
        let first = app.get(path).await;
        let unquoted = first.header("etag").trim_matches('"').to_owned();
        for known in [&b""[..], b"\"x\"", b"W/", b",,", b"\xff\xfe", unquoted.as_bytes(), long.as_bytes()] {
            let reply = conditional(&app, Method::GET, path, &[known]).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (200, &first.body), "{path}");
        }
        let head = conditional(&app, Method::HEAD, path, &[b"\"x\""]).await;
        assert_eq!((head.status.as_u16(), head.header("etag")), (200, first.header("etag")), "{path}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_tag_is_the_same_from_the_cache_from_postgresql_and_without_redis(pool: PgPool) {
    let app = with_a_movie(&pool, &[]).await;
    let alone = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    for (path, key) in READS {
        let computed = app.get(path).await;
        eventually("it is cached", || async { app.redis_text("GET", &[key]).await.is_some() }).await;
        let cached = app.get(path).await;
        let without_redis = alone.get(path).await;
        for other in [&cached, &without_redis] {
            assert_eq!((other.header("etag"), &other.body), (computed.header("etag"), &computed.body), "{path}");
        }
        let etag = computed.header("etag").as_bytes();
        assert_eq!(conditional(&app, Method::GET, path, &[etag]).await.status, 304, "{path}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_change_gives_another_tag(pool: PgPool) {
    let app = with_a_movie(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    for (path, _) in READS {
        let before = app.get(path).await.header("etag").to_owned();
        app.execute("UPDATE movies SET title = title || '!'; UPDATE genres SET name = name || '!'").await;
        let after = conditional(&app, Method::GET, path, &[before.as_bytes()]).await;
        assert_eq!(after.status, 200, "{path}");
        assert_ne!(after.header("etag"), before, "{path}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn errors_have_no_tag_and_are_not_conditional(pool: PgPool) {
    let app = with_a_movie(&pool, &[]).await;
    for (path, status) in [("/api/v1/movies?year=x", 400), ("/api/v1/movies/x", 400), ("/api/v1/movies/99", 404)] {
        let reply = conditional(&app, Method::GET, path, &[b"*"]).await;
        assert_eq!((reply.status.as_u16(), reply.header("etag")), (status, ""), "{path}");
    }
}

//! `GET /internal/v1/catalogue`.

use axum::{body::Body, http::Request};
use futures_util::StreamExt;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;

use crate::support::{TestApp, eventually};

async fn if_none_match(app: &TestApp, value: &str) -> crate::support::TestResponse {
    let request = Request::get("/internal/v1/catalogue").header("if-none-match", value);
    app.request(request.body(Body::empty()).unwrap()).await
}

const OPEN_TRANSACTIONS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()";

#[sqlx::test(migrations = "./migrations")]
async fn it_lists_genres_then_movies_then_says_that_it_is_whole(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (53, 'Thriller'), (28, 'Action');
         INSERT INTO movies (tmdb_id, title, release_date, popularity, poster_path, vote_average, vote_count)
         VALUES (603, 'The Matrix', '1999-03-31', 12.5, '/x.jpg', 7.1, 12), (604, 'Bare', NULL, NULL, NULL, NULL, NULL),
                (605, 'Nobody voted', NULL, 0, NULL, 9.9, 0);
         UPDATE movies SET original_language = 'en', runtime = 136 WHERE id = 1;
         INSERT INTO movie_genres VALUES (1, 2), (1, 1), (3, 2)",
    )
    .await;
    let reply = app.catalogue().await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    let version = reply.header("etag").trim_matches('"').to_owned();
    let (epoch, number) = version.rsplit_once('-').unwrap();
    let number = number.strip_suffix(".2").expect("the form of the lines");
    assert!(epoch.len() == 36 && number.parse::<i64>().is_ok(), "{version}");
    let movie = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    let lines: Vec<&str> = reply.text().lines().collect();
    assert_eq!(
        lines[0],
        format!(
            r#"{{"catalogue_version":"{version}","genres":[{{"id":1,"name":"Thriller"}},{{"id":2,"name":"Action"}}]}}"#
        )
    );
    assert_eq!(
        lines[1],
        r#"{"id":1,"title":"The Matrix","release_date":"1999-03-31","popularity":12.5,"poster_path":"/x.jpg","vote_average":7.1,"vote_count":12,"original_language":"en","runtime":136,"genre_ids":[1,2]}"#
    );
    assert_eq!(
        movie(lines[2]),
        json!({"id": 2, "title": "Bare", "release_date": "", "popularity": null, "poster_path": "",
               "vote_average": null, "vote_count": 0, "original_language": "", "runtime": 0, "genre_ids": []})
    );
    assert_eq!(movie(lines[3])["vote_average"], Value::Null, "an average over nobody says nothing");
    assert_eq!(lines[4..], [r#"{"end":true,"movies":3}"#]);
    assert!(reply.text().ends_with('\n'));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_copy_that_is_up_to_date_is_not_sent_again(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    let etag = app.version().await;
    for value in [etag.as_str(), &format!("\"other\", {etag}"), &format!("W/{etag}"), "*"] {
        let reply = if_none_match(&app, value).await;
        assert_eq!((reply.status.as_u16(), reply.body.len(), reply.header("etag")), (304, 0, etag.as_str()), "{value}");
    }
    assert_eq!(if_none_match(&app, "\"other\"").await.status, 200);
    app.execute("UPDATE movies SET popularity = 0.5 WHERE id = 1").await;
    let reply = if_none_match(&app, &etag).await;
    assert_eq!(reply.status, 200);
    assert_ne!(reply.header("etag"), etag);
}

#[sqlx::test(migrations = "./migrations")]
async fn version_and_rows_are_of_one_moment(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(
        "INSERT INTO movies (tmdb_id, title, popularity) SELECT n, repeat('x', 200), 0 FROM generate_series(1, 3000) n",
    )
    .await;
    let response =
        app.router.clone().oneshot(Request::get("/internal/v1/catalogue").body(Body::empty()).unwrap()).await.unwrap();
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    let mut body = response.into_body().into_data_stream();
    let mut text = body.next().await.unwrap().unwrap().to_vec();
    app.execute("UPDATE movies SET popularity = 1; DELETE FROM movies WHERE id > 2000").await;
    while let Some(piece) = body.next().await {
        text.extend_from_slice(&piece.unwrap());
    }
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(etag.trim_matches('"')));
    assert!(!text.contains(r#""popularity":1.0"#));
    assert!(text.ends_with("{\"end\":true,\"movies\":3000}\n"));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_reader_that_goes_away_ends_the_copy(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute("INSERT INTO movies (tmdb_id, title) SELECT n, repeat('x', 900) FROM generate_series(1, 20000) n")
        .await;
    let response =
        app.router.clone().oneshot(Request::get("/internal/v1/catalogue").body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    assert_eq!(app.count(OPEN_TRANSACTIONS).await, 1);
    drop(body);
    eventually("the transaction has ended", || async { app.count(OPEN_TRANSACTIONS).await == 0 }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_long_copy_is_not_cut_by_the_limit_of_statements(pool: PgPool) {
    let app = TestApp::with(&pool, &[("DB_STATEMENT_TIMEOUT_MS", "300")]).await;
    app.execute("INSERT INTO movies (tmdb_id, title) SELECT n, repeat('x', 900) FROM generate_series(1, 20000) n")
        .await;
    let response =
        app.router.clone().oneshot(Request::get("/internal/v1/catalogue").body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let mut last = Vec::new();
    while let Some(piece) = body.next().await {
        last = piece.unwrap().to_vec();
    }
    assert!(last.ends_with(b"{\"end\":true,\"movies\":20000}\n"));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_copy_that_breaks_off_does_not_look_whole(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute("INSERT INTO movies (tmdb_id, title) SELECT n, repeat('x', 900) FROM generate_series(1, 20000) n")
        .await;
    let response =
        app.router.clone().oneshot(Request::get("/internal/v1/catalogue").body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    app.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()",
    )
    .await;
    let pieces: Vec<_> = body.collect().await;
    assert!(pieces.last().unwrap().is_err(), "the connection is cut instead of ended");
}

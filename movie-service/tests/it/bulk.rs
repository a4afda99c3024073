//! `POST /api/v1/movies/bulk`.

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    support::{TestApp, TestResponse},
    write_movies::GENRES,
};

pub const BULK: &str = "/api/v1/movies/bulk";

/// The lines of an answer.
pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn bulk(app: &TestApp, body: impl Into<Body>) -> Vec<Value> {
    let reply: TestResponse = app.write(Method::POST, BULK, body).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-type")),
        (200, "application/x-ndjson"),
        "{}",
        reply.text()
    );
    lines(reply.text())
}

fn movies(range: std::ops::Range<usize>) -> String {
    range.map(|number| format!("{{\"title\":\"Movie {number}\"}}\n")).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn each_line_is_stored_or_told_why_not(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    app.movie(603, "The Matrix", None, None).await;
    let long = format!("{{\"title\":\"{}\"}}", "x".repeat(65_536));
    let body = [
        r#"{"title":"One","genres":["drama",1],"duration":7,"tmdb_id":7,"vote_count":2,"vote_average":5.5}"#,
        r#"{"title":"Taken","tmdb_id":603}"#,
        "",
        "{\"title\":\"Two\"}\r",
        r#"{"title":"Twice","tmdb_id":7}"#,
        "not json",
        r#"{"title":"x","genres":["Dramas"]}"#,
        " \t\r",
        r#"{"title":"x","duration":-1}"#,
        &long,
        r#"{"overview":"no title"}"#,
        r#"{"title":"Three","tmdb_id":8}"#,
        r#"{"title":"x","duration":"5"}"#,
    ]
    .join("\n");
    let answer = bulk(&app, body).await;
    let id = |line: usize| answer.iter().find(|report| report["line"] == line).unwrap()["id"].clone();
    let taken =
        json!({ "status": 409, "error": "tmdb_id already exists", "code": "tmdb_id_exists", "field": "tmdb_id" });
    let at = |line: usize, error: &Value| {
        let mut error = error.clone();
        error["line"] = line.into();
        error
    };
    let expected = [
        json!({ "line": 1, "status": 201, "id": id(1) }),
        at(2, &taken),
        json!({ "line": 4, "status": 201, "id": id(4) }),
        at(5, &taken),
        json!({ "line": 6, "status": 400, "error": "invalid request body", "code": "invalid_request_body" }),
        json!({ "line": 7, "status": 400, "error": "unknown genre in genres, known are: Action, Drama, Thriller", "code": "unknown_genre", "field": "genres" }),
        json!({ "line": 9, "status": 400, "error": "invalid duration, expected a whole number from 0 to 2147483647", "code": "invalid_field", "field": "duration" }),
        json!({ "line": 10, "status": 400, "error": "the line is longer than 65536 bytes", "code": "line_too_long" }),
        json!({ "line": 11, "status": 400, "error": "invalid title, expected a title of 1 to 500 characters that is not blank", "code": "invalid_field", "field": "title" }),
        json!({ "line": 12, "status": 201, "id": id(12) }),
        json!({ "line": 13, "status": 400, "error": "invalid request body", "code": "invalid_request_body", "field": "duration" }),
        json!({ "end": true, "stored": 3, "failed": 8 }),
    ];
    assert_eq!(answer, expected);
    let movie = app.get(&format!("/api/v1/movies/{}", id(1))).await.json();
    assert_eq!(
        (&movie["title"], &movie["genres"], &movie["duration"], &movie["vote_average"], &movie["tmdb_id"]),
        (&json!("One"), &json!(["Action", "Drama"]), &json!(7), &json!(5.5), &json!(7))
    );
    assert_eq!(app.list("sort_by=created_at&order=asc").await["total_results"], 4);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_empty_body_stores_nothing(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for body in ["", "\n", " \n\r\n\n"] {
        assert_eq!(bulk(&app, body).await, [json!({ "end": true, "stored": 0, "failed": 0 })]);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn ten_thousand_lines_are_stored_in_their_order_and_no_more(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let answer = bulk(&app, movies(1..10_001) + "\n \n").await;
    assert_eq!(answer.len(), 10_001, "blank lines at the end do no harm");
    assert_eq!(answer[10_000], json!({ "end": true, "stored": 10_000, "failed": 0 }));
    for (line, report) in (1..).zip(&answer[..10_000]) {
        assert_eq!((&report["line"], &report["status"]), (&json!(line), &json!(201)));
    }
    let out_of_order = "SELECT count(*) FROM movies WHERE title <> 'Movie ' || id";
    assert_eq!(app.count(out_of_order).await, 0, "ids follow the lines");

    let answer = bulk(&app, movies(0..10_005)).await;
    let last = json!({ "line": 10_001, "status": 413, "error": "more than 10000 lines", "code": "too_many_lines" });
    let end = json!({ "end": true, "stored": 10_000, "failed": 1, "not_tried_from": 10_002,
                      "error": "more than 10000 lines", "code": "too_many_lines" });
    assert_eq!(answer[10_000..], [last, end]);
    assert_eq!(app.count("SELECT count(*) FROM movies").await, 20_000);
}

#[sqlx::test(migrations = "./migrations")]
async fn more_than_16_mib_is_refused_at_once_or_where_it_shows(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let line = format!("{{\"title\":\"x\",\"overview\":\"{}\"}}\n", "é".repeat(9000));
    let body = line.repeat(17 * 1024 * 1024 / line.len());
    let said = Request::post(BULK).header("content-length", body.len()).body(Body::from(body.clone())).unwrap();
    app.request(said).await.assert_error(413, "request body too large");
    assert_eq!(app.count("SELECT count(*) FROM movies").await, 0);

    let pieces: Vec<_> = body.as_bytes().chunks(60_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let answer = bulk(&app, Body::from_stream(futures_util::stream::iter(pieces))).await;
    let stored = app.count("SELECT count(*) FROM movies").await;
    assert!(stored > 900, "what came before is stored: {stored}");
    let end = &answer[answer.len() - 2..];
    assert_eq!((&end[0]["status"], &end[0]["code"]), (&json!(413), &json!("body_too_large")));
    let not_tried_from = end[0]["line"].as_i64().unwrap() + 1;
    let expected = json!({ "end": true, "stored": stored, "failed": 1, "not_tried_from": not_tried_from,
                           "error": "request body too large", "code": "body_too_large" });
    assert_eq!(end[1], expected);
}

#[sqlx::test(migrations = "./migrations")]
async fn bulk_bodies_may_be_larger_than_others(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let line = format!("{{\"title\":\"x\",\"overview\":\"{}\"}}\n", "x".repeat(9000));
    let answer = bulk(&app, line.repeat(300)).await;
    assert_eq!(answer[300], json!({ "end": true, "stored": 300, "failed": 0 }));
}

#[sqlx::test(migrations = "./migrations")]
async fn loads_at_the_same_time_do_not_disturb_each_other(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let load = |_| {
        let body: String = (1..1501).map(|id| format!("{{\"title\":\"Movie {id}\",\"tmdb_id\":{id}}}\n")).collect();
        bulk(&app, body)
    };
    let answers = futures_util::future::join_all((0..4).map(load)).await;
    let stored: u64 = answers.iter().map(|answer| answer.last().unwrap()["stored"].as_u64().unwrap()).sum();
    assert_eq!((stored, app.count("SELECT count(*) FROM movies").await), (1500, 1500));
    for answer in answers {
        assert!(answer[..1500].iter().all(|report| [201, 409].contains(&report["status"].as_u64().unwrap())));
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_path_of_loads_takes_only_post(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let reply = app.write(method, BULK, "{\"title\":\"x\"}").await;
        reply.assert_error(405, "Method Not Allowed");
        assert_eq!(reply.header("allow"), "POST");
    }
}

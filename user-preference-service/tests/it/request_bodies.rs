//! Bodies that no client should send, on every route that takes one.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{Request, header},
};
use proptest::{prelude::*, strategy::ValueTree, string::string_regex, test_runner::TestRunner};
use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

/// Each route with its text fields and their longest lengths.
const ROUTES: [(&str, &[(&str, usize)]); 3] = [
    ("/api/v1/users", &[("username", 100), ("email", 255)]),
    ("/api/v1/users/1/preferences", &[("preferred_language", 10)]),
    ("/api/v1/users/1/interactions", &[("interaction_type", 50)]),
];

/// Bodies that are not one JSON object of the right types, whatever the route.
fn malformed() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " ",
        "null",
        "true",
        "1",
        "\"a\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{}{}",
        "{} ,",
        "{},",
        "{}\0",
        "\u{feff}{}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":+1}",
        "{\"a\":01}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"\\ud800\":1}",
        "// x\n{}",
        "username=ada&email=a%40b",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    for bytes in [b"\xc0\x80".as_slice(), b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xff\xfe", b"\x80"] {
        bodies.push([b"{\"a\":\"", bytes, b"\"}"].concat());
    }
    for depth in [127, 128, 10_000, 200_000] {
        bodies.push(format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into_bytes());
        bodies.push("{\"a\":".repeat(depth).into_bytes());
    }
    bodies
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn what_is_not_one_json_object_is_an_invalid_body(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for (path, _) in ROUTES {
        for body in malformed() {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let reply = app.post(path, body).await;
            assert_eq!(reply.refusal(), (400, "invalid request body".to_owned()), "{path} {shown}");
        }
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_field_of_the_wrong_type_is_an_invalid_body(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let text = ["1", "true", "[]", "{}", "[\"a\"]", "\"\\ud800\"", "\"\\udc00\\ud800\""];
    let number = ["\"5\"", "true", "[]", "{}", "[1]"];
    let list = ["\"a\"", "1", "{}", "[1]", "[[]]", "[\"a\",{}]", "[\"\\ud800\"]"];
    let fields: [(&str, &str, &[&str]); 6] = [
        (ROUTES[0].0, "username", &text),
        (ROUTES[0].0, "email", &text),
        (ROUTES[1].0, "preferred_language", &text),
        (ROUTES[1].0, "preferred_genres", &list),
        (ROUTES[1].0, "min_rating", &number),
        (ROUTES[2].0, "interaction_type", &text),
    ];
    for (path, field, values) in fields {
        for value in values {
            let reply = app.post(path, format!("{{\"{field}\":{value}}}")).await;
            assert_eq!(reply.refusal(), (400, "invalid request body".to_owned()), "{field} {value}");
            // Half an escape is no JSON at all, so that there is no value whose type could be wrong.
            if !value.contains("\\ud") {
                let named = reply.json()["field"].as_str().unwrap_or_default().to_owned();
                assert!(named.starts_with(field), "{field} {value}: {named}");
            }
        }
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn odd_texts_are_refused_or_stored_whole(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let mut texts: Vec<String> = (0_u8..0x20).map(|control| format!("a@{}", char::from(control))).collect();
    texts.extend(["a@\u{ffff}", "a@\u{202e}abc", "a@👩‍👩‍👧‍👦", "a@\u{fffd}", "a@\u{10ffff}"].map(str::to_owned));
    texts.push(format!("a@{}", "\u{301}".repeat(10_000)));
    texts.push(format!("a@{}", "x".repeat(1_000_000)));
    texts.extend([10, 11, 50, 51, 100, 101, 255, 256].map(|length| format!("@{}", "é".repeat(length - 1))));
    for (path, fields) in ROUTES {
        for (field, longest) in fields {
            for (number, text) in texts.iter().enumerate() {
                let mut body = json!({ "username": format!("u{field}{number}"), "email": format!("{field}{number}@") });
                body[field] = json!(text);
                let reply = app.post(path, body.to_string()).await;
                let fits = text.chars().count() <= *longest && !text.contains('\0');
                let expected = match (path, fits) {
                    (_, false) | ("/api/v1/users/1/interactions", _) => 400,
                    ("/api/v1/users", true) => 201,
                    (_, true) => 200,
                };
                let status = reply.status.as_u16();
                assert!(status == expected, "{field} {text:.20?}: {status}, not {expected}");
                if status < 300 {
                    assert_eq!(reply.json()[field], json!(text));
                } else {
                    assert_eq!(reply.json()["field"], *field);
                }
            }
        }
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_body_is_read_whatever_its_content_type_says(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for content_type in [
        None,
        Some("application/json"),
        Some("application/x-www-form-urlencoded"),
        Some("text/plain"),
        Some("nonsense"),
        Some("application/json; charset=latin1"),
    ] {
        let mut request = Request::post("/api/v1/users/1/preferences");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let reply = app.send(request.body(Body::from(r#"{"min_rating":5}"#)).unwrap()).await;
        assert_eq!(reply.status, 200, "{content_type:?}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn unknown_fields_are_ignored_and_a_field_that_comes_twice_is_invalid(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let body = r#" {"id":99,"user_id":"x","x":[{"min_rating":2}],"min_rating":3,"MIN_RATING":4} "#;
    let reply = app.post("/api/v1/users/1/preferences", body).await.json();
    assert_eq!((reply["user_id"].as_i64(), reply["min_rating"].as_f64()), (Some(1), Some(3.0)));
    let reply = app.post("/api/v1/users/1/preferences", r#"{"min_rating":1,"min_rating":3}"#).await;
    assert_eq!(reply.refusal(), (400, "invalid request body".to_owned()));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_path_of_a_value_of_the_wrong_type_is_named(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for (path, body, field) in [
        (ROUTES[0].0, r#"{"username":"ada","email":7}"#, "email"),
        (ROUTES[1].0, r#"{"preferred_genres":["a",5]}"#, "preferred_genres[1]"),
        (ROUTES[2].0, r#"{"movie_id":"5","interaction_type":"like"}"#, "movie_id"),
    ] {
        let reply = app.post(path, body).await;
        assert_eq!(reply.refusal(), (400, "invalid request body".to_owned()));
        assert_eq!(reply.json()["field"], field);
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn an_encoded_body_is_decoded_or_refused(pool: PgPool) {
    const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\xcd\xcc\x8b\x2f\x4a\x2c\xc9\xcc\x4b\x57\xb2\x32\xad\x05\x00\x63\xbe\x1f\xe8\x10\x00\x00\x00";
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let unsupported = "unsupported Content-Encoding, expected gzip, br or zstd";
    for (encoding, body, status, text) in [
        ("gzip", GZIPPED, 200, ""),
        ("gzip", br#"{"min_rating":5}"#.as_slice(), 400, "invalid request body"),
        ("compress", GZIPPED, 415, unsupported),
        ("nonsense", br#"{"min_rating":5}"#.as_slice(), 415, unsupported),
        ("identity", br#"{"min_rating":5}"#.as_slice(), 200, ""),
    ] {
        let request = Request::post("/api/v1/users/1/preferences").header(header::CONTENT_ENCODING, encoding);
        let reply = app.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(reply.refusal(), (status, text.to_owned()), "{encoding}");
    }
    assert_eq!(app.get("/api/v1/users/1/preferences").await.json()["min_rating"], 5.0);
}

const LIMIT: usize = 1024 * 1024;

/// An empty preference body, filled up with spaces.
fn body_of(length: usize) -> Vec<u8> {
    let mut body = b"{}".to_vec();
    body.resize(length, b' ');
    body
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_body_may_have_a_mebibyte_and_no_more(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let path = "/api/v1/users/1/preferences";
    for (length, status) in [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (5 * LIMIT, 413)] {
        assert_eq!(app.post(path, body_of(length)).await.status, status, "{length}");
        // The same in pieces, without a length said before.
        let pieces: Vec<Result<Bytes, Infallible>> =
            body_of(length).chunks(60_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let reply = app.post(path, Body::from_stream(futures_util::stream::iter(pieces))).await;
        assert_eq!(reply.status, status, "{length} in pieces");
        if status == 413 {
            assert_eq!(reply.refusal().1, "request body too large");
        }
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_body_that_stalls_or_trickles_is_given_up(pool: PgPool) {
    use futures_util::StreamExt;
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let first = || futures_util::stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
    let stalled = Body::from_stream(first().chain(futures_util::stream::pending()));
    let trickling = Body::from_stream(first().chain(futures_util::stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Some((Ok(Bytes::from_static(b" ")), ()))
    })));
    tokio::time::pause();
    for body in [stalled, trickling] {
        let reply = app.post("/api/v1/users/1/preferences", body).await;
        assert_eq!(reply.refusal(), (408, "the request body did not arrive in time".to_owned()));
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn no_bytes_whatever_make_it_fail(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let names = "username|email|preferred_genres|preferred_language|min_rating|movie_id|interaction_type|x";
    let value = r#"null|true|-?[0-9]{1,25}|-?[0-9]\.[0-9]e[0-9]{1,3}|"[^"\\]{0,20}"|"like"|\["[^"\\]{0,9}",null\]|\{"x":\[\]\}"#;
    let object = format!(r#"\{{("({names})":({value})(,"({names})":({value})){{0,4}})?\}}"#);
    let body = prop_oneof![
        any::<Vec<u8>>(),
        string_regex(&object).unwrap().prop_map(String::into_bytes),
        ".{0,40}".prop_map(String::into_bytes),
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..400 {
        let body = body.new_tree(&mut runner).unwrap().current();
        for (path, _) in ROUTES {
            let reply = app.post(path, body.clone()).await;
            let status = reply.status.as_u16();
            assert!([200, 201, 400, 409].contains(&status), "{status} {}", String::from_utf8_lossy(&body));
        }
    }
}

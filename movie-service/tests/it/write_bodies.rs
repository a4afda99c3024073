//! Bodies of writes that cannot be used.

use axum::http::Method;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    support::{TestApp, TestResponse},
    write_movies::GENRES,
};

const MOVIES: &str = "/api/v1/movies";

async fn post(app: &TestApp, field: &str, value: &str) -> TestResponse {
    let title = if field == "title" { "" } else { r#""title":"x","# };
    app.write(Method::POST, MOVIES, format!("{{{title}\"{field}\":{value}}}")).await
}

#[sqlx::test(migrations = "./migrations")]
async fn a_value_that_a_movie_cannot_have_is_refused_by_name(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    let text = |length: usize| format!("\"{}\"", "é".repeat(length));
    let image = |length: usize| format!("\"/{}\"", "x".repeat(length - 1));
    let (t500, t501, t10000, t10001) = (text(500), text(501), text(10_000), text(10_001));
    let (i200, i201) = (image(200), image(201));
    let many = format!("[{}]", vec!["1"; 21].join(","));
    let wrong: [(&str, Vec<&str>); 14] = [
        (
            "title",
            vec![
                "\"\"",
                "\" \\t\\u00a0\"",
                "\"\\u200b \\u2060\"",
                "\"\\ufeff\"",
                "\"\\u00ad\\u3164\"",
                "\"a\\u0000\"",
                &t501,
                &t10001,
            ],
        ),
        ("original_title", vec!["\"\\u0000\"", &t501]),
        ("overview", vec!["\"a\\u0000b\"", &t10001]),
        (
            "release_date",
            vec![
                "\"1999\"",
                "\"1999-02-30\"",
                "\"0000-01-01\"",
                "\" \"",
                "\"1999-03-31T00:00:00Z\"",
                "\"1999-03-31\\u0000\"",
            ],
        ),
        ("genres", vec![&many, "[null]", "[\"\"]", "[\" \"]", &format!("[{t501}]").leak()[..], "[\"a\\u0000\"]"]),
        ("language", vec!["\"e\"", "\"engl\"", "\"é\"", "\"e1\"", "\"e\\u0000\"", "\" en\""]),
        ("duration", vec!["-1", "2147483648", "99999999999999999999", "-99999999999999999999"]),
        ("popularity", vec!["-0.1", "1e999", "-1e999"]),
        ("vote_average", vec!["-0.1", "10.1", "1e999"]),
        ("vote_count", vec!["-1", "2147483648"]),
        (
            "poster_url",
            vec![
                "\"x.jpg\"",
                "\"/\"",
                "\"/a/b.jpg\"",
                "\"/a b\"",
                "\"/../x\"",
                "\"https://example.org/x.jpg\"",
                "\"https://image.tmdb.org/t/p/w780/x.jpg\"",
                "\"https://image.tmdb.org/t/p/w500\"",
                "\"/é\"",
                "\"/a\\u0000\"",
                &i201,
            ],
        ),
        ("backdrop_url", vec!["\"https://image.tmdb.org/t/p/w500/x.jpg\"", "\"javascript:alert(1)\""]),
        ("tmdb_id", vec!["0", "-1", "2147483648"]),
        ("locked_fields", vec!["[\"tmdb_id\"]", "[\"id\"]", "[\"\"]", "[null]", "[\"Title\"]"]),
    ];
    for (field, values) in wrong {
        for value in values {
            let reply = post(&app, field, value).await;
            assert_eq!(reply.status, 400, "{field} {value:.50}: {}", reply.text());
            let error = reply.json();
            assert_eq!((&error["code"], &error["field"]), (&json!("invalid_field"), &json!(field)), "{value:.50}");
            assert!(error["error"].as_str().unwrap().starts_with(&format!("invalid {field}, expected ")));
            let patched = app.write(Method::PATCH, "/api/v1/movies/999", format!("{{\"{field}\":{value}}}")).await;
            assert_eq!(
                (patched.status.as_u16(), patched.json()),
                (400, error),
                "values are validated before the movie is looked for"
            );
        }
    }
    for (field, value) in [
        ("title", t500.as_str()),
        ("original_title", &t500),
        ("overview", &t10000),
        ("poster_url", &i200),
        ("duration", "2147483647"),
        ("vote_average", "10"),
        ("popularity", "1e308"),
        ("release_date", "\"9999-12-31\""),
        ("language", "\"YUE\""),
        ("vote_count", "2147483647"),
        ("tmdb_id", "2147483647"),
        ("popularity", "-0.0"),
    ] {
        assert_eq!(post(&app, field, value).await.status, 201, "{field} {value:.50}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn an_unknown_genre_lists_those_known(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    post(&app, "genres", "[\"Drama\"]").await.assert_error(400, "unknown genre in genres, known are: none");
    app.execute(GENRES).await;
    for (method, path) in [
        (Method::POST, MOVIES),
        (Method::PUT, "/api/v1/movies/1"),
        (Method::PATCH, "/api/v1/movies/1"),
        (Method::PATCH, "/api/v1/movies/99"),
    ] {
        for genres in ["[\"Dramas\"]", "[1, 4]", "[0]", "[-1]", "[99999999999]", "[\"99\"]"] {
            let reply = app.write(method.clone(), path, format!(r#"{{"title":"x","genres":{genres}}}"#)).await;
            reply.assert_error(400, "unknown genre in genres, known are: Action, Drama, Thriller");
            assert_eq!((&reply.json()["code"], &reply.json()["field"]), (&json!("unknown_genre"), &json!("genres")));
        }
    }
    assert_eq!(
        post(&app, "genres", "[\"dRAMA\",\" thriller \",2,\"2\"]").await.json()["genres"],
        json!(["Drama", "Thriller"])
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn anything_but_one_object_of_the_right_types_is_invalid(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "[]",
        "\"x\"",
        "1",
        "{",
        "{\"title\":\"x\"}{}",
        "{\"title\":\"x\"} x",
        "\u{feff}{\"title\":\"x\"}",
        "title=x",
    ]
    .map(|body| body.as_bytes().to_vec())
    .into();
    bodies.push(b"{\"title\":\"\xff\"}".to_vec());
    bodies.push(b"{\"title\":\"\xed\xa0\x80\"}".to_vec());
    for wrong in [
        r#""title":1"#,
        r#""title":["x"]"#,
        r#""title":"\ud800""#,
        r#""overview":{}"#,
        r#""duration":"7""#,
        r#""duration":7.5"#,
        r#""duration":NaN"#,
        r#""vote_count":1e-3"#,
        r#""vote_average":"5""#,
        r#""popularity":true"#,
        r#""genres":"Drama""#,
        r#""genres":[[]]"#,
        r#""genres":[true]"#,
        r#""genres":[1.5]"#,
        r#""genres":{}"#,
        r#""tmdb_id":"1""#,
        r#""locked_fields":"title""#,
        r#""locked_fields":[1]"#,
        r#""release_date":0"#,
        r#""title":"y""#,
        r#""duration":7,"duration":null"#,
    ] {
        bodies.push(format!("{{\"title\":\"x\",{wrong}}}").into_bytes());
    }
    for body in bodies {
        for (method, path) in [
            (Method::POST, MOVIES),
            (Method::PUT, "/api/v1/movies/1"),
            (Method::PATCH, "/api/v1/movies/1"),
            (Method::PATCH, "/api/v1/movies/0"),
        ] {
            let reply = app.write(method, path, body.clone()).await;
            assert_eq!(reply.status, 400, "{:?}", String::from_utf8_lossy(&body));
            reply.assert_error(400, "invalid request body");
        }
    }
    for (method, body) in [(Method::PUT, "["), (Method::PATCH, "[")] {
        app.write(method, "/api/v1/movies/x1", body).await.assert_error(400, "invalid movie ID");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_id_the_body_its_values_and_then_the_movie_are_checked(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for id in ["1", "0", "-1", "2147483648"] {
        for method in [Method::PUT, Method::PATCH] {
            let path = format!("{MOVIES}/{id}");
            app.write(method.clone(), &path, r#"{"title":"x"}"#).await.assert_error(404, "movie not found");
            app.write(method, &path, "x").await.assert_error(400, "invalid request body");
        }
        app.send(Method::DELETE, &format!("{MOVIES}/{id}")).await.assert_error(404, "movie not found");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_value_of_the_wrong_type_is_named(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for (field, value, path) in [
        ("duration", "\"5\"", "duration"),
        ("title", "1", "title"),
        ("popularity", "true", "popularity"),
        ("genres", "[1, []]", "genres[1]"),
        ("locked_fields", "\"title\"", "locked_fields"),
    ] {
        let reply = post(&app, field, value).await;
        reply.assert_error(400, "invalid request body");
        assert_eq!(reply.json()["field"], path, "{value}");
        let line = format!("{{\"{field}\":{value}}}");
        let bulk = app.write(Method::POST, "/api/v1/movies/bulk", line).await;
        let report: Value = serde_json::from_str(bulk.text().lines().next().unwrap()).unwrap();
        assert_eq!((&report["status"], &report["field"]), (&json!(400), &json!(path)), "{value}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_whole_number_may_have_a_fraction_of_zeros_or_an_exponent(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    let body = r#"{"title":"x","duration":5.0,"vote_count":1e3,"genres":[1.0]}"#;
    let movie = app.write(Method::POST, MOVIES, body).await.json();
    assert_eq!((&movie["duration"], &movie["vote_count"]), (&json!(5), &json!(1000)));
    assert_eq!(movie["genres"], json!(["Action"]));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_body_beyond_the_limit_is_refused(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let body = format!(r#"{{"title":"x","unknown":"{}"}}"#, "x".repeat(1024 * 1024));
    app.write(Method::POST, MOVIES, body.clone()).await.assert_error(413, "request body too large");
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(body)]);
    app.write(Method::POST, MOVIES, axum::body::Body::from_stream(pieces))
        .await
        .assert_error(413, "request body too large");
    assert_eq!(app.count("SELECT count(*) FROM movies").await, 0);
}

/// Any JSON.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-100..100_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(/[a-z]{3}|en|1999-03-31|Drama|title)".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,8}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

#[sqlx::test(migrations = "./migrations")]
async fn no_body_makes_a_server_error(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(GENRES).await;
    app.movie(1, "One", None, None).await;
    let field = prop_oneof![
        3 => prop::sample::select(vec!["title", "original_title", "overview", "release_date", "genres", "language", "duration", "popularity", "vote_average", "vote_count", "poster_url", "backdrop_url", "tmdb_id", "locked_fields"]).prop_map(str::to_owned),
        1 => "[a-z]{1,5}",
    ];
    let bodies = prop_oneof![
        1 => anything(),
        6 => (prop::collection::hash_map(field, anything(), 0..4), any::<bool>()).prop_map(|(mut fields, titled)| {
            if titled {
                fields.insert("title".to_owned(), "x".into());
            }
            fields.into_iter().collect()
        }),
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..300 {
        let body = bodies.new_tree(&mut runner).unwrap().current().to_string();
        for (method, path) in
            [(Method::POST, MOVIES), (Method::PATCH, "/api/v1/movies/1"), (Method::PUT, "/api/v1/movies/1")]
        {
            let reply = app.write(method.clone(), path, body.clone()).await;
            assert!([200, 201, 400, 409].contains(&reply.status.as_u16()), "{method} {body}: {}", reply.text());
        }
    }
}

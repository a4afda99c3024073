//! What TMDB sends: each shape of a page, well-formed or not.

use axum::response::IntoResponse;
use proptest::prelude::*;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, stub, stub::Stub};

/// A service whose TMDB answers the first page with this text.
async fn with_page(pool: &PgPool, body: String) -> (TestApp, Stub) {
    let tmdb = Stub::start(move |request| {
        let body = body.clone();
        async move {
            match request.path.as_str() {
                "/3/discover/movie" => stub::raw(body),
                _ => stub::plain(&request, 1),
            }
        }
    })
    .await;
    let app = TestApp::with(pool, &tmdb.settings()).await;
    (app, tmdb)
}

fn page_of(rows: &str) -> String {
    format!(r#"{{"page":1,"results":[{rows}],"total_pages":1,"total_results":1}}"#)
}

/// What becomes of a row.
enum Becomes {
    Nothing,
    A(fn(&Value)),
}

#[sqlx::test(migrations = "./migrations")]
async fn each_row_is_read_on_its_own(pool: PgPool) {
    use Becomes::{A, Nothing};
    fn titled(movie: &Value, title: &str) {
        assert_eq!(movie["title"], title);
    }
    fn undated(movie: &Value) {
        assert_eq!(movie["release_date"], "");
    }
    fn unpopular(movie: &Value) {
        assert_eq!(movie["popularity"], 0.0);
    }
    fn without_genres(movie: &Value) {
        assert_eq!(movie["genres"], json!([]));
    }
    let long = |length| "x".repeat(length);
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let cases: Vec<(&str, String, Becomes)> = vec![
        ("only id and title", r#""id":ID,"title":"T""#.into(), A(|movie| titled(movie, "T"))),
        ("null everywhere", r#""id":ID,"title":"T","overview":null,"release_date":null,"poster_path":null,"backdrop_path":null,"popularity":null,"genre_ids":null,"original_language":null,"vote_average":null,"vote_count":null,"original_title":null"#.into(), A(|movie| {
            assert_eq!((&movie["overview"], &movie["poster_url"], &movie["language"]), (&json!(""), &json!(""), &json!("")));
        })),
        ("no title, original title", r#""id":ID,"original_title":"O""#.into(), A(|movie| titled(movie, "O"))),
        ("null title, original title", r#""id":ID,"title":null,"original_title":"O""#.into(), A(|movie| titled(movie, "O"))),
        ("blank title, original title", r#""id":ID,"title":" ","original_title":"O""#.into(), A(|movie| titled(movie, "O"))),
        ("invisible title, original title", r#""id":ID,"title":"\u200b","original_title":"O""#.into(), A(|movie| titled(movie, "O"))),
        ("no title at all", r#""id":ID"#.into(), Nothing),
        ("null titles", r#""id":ID,"title":null,"original_title":null"#.into(), Nothing),
        ("title of a wrong type", r#""id":ID,"title":7"#.into(), Nothing),
        ("no id", r#""title":"T""#.into(), Nothing),
        ("null id", r#""id":null,"title":"T""#.into(), Nothing),
        ("id 0", r#""id":0,"title":"T""#.into(), Nothing),
        ("id -1", r#""id":-1,"title":"T""#.into(), Nothing),
        ("id 2^31", r#""id":2147483648,"title":"T""#.into(), Nothing),
        ("id 1e400", r#""id":1e400,"title":"T""#.into(), Nothing),
        ("id a text", r#""id":"7","title":"T""#.into(), Nothing),
        ("date empty", r#""id":ID,"title":"T","release_date":"""#.into(), A(undated)),
        ("date impossible", r#""id":ID,"title":"T","release_date":"2024-13-45""#.into(), A(undated)),
        ("date zero", r#""id":ID,"title":"T","release_date":"0000-00-00""#.into(), A(undated)),
        ("date a year", r#""id":ID,"title":"T","release_date":"1999""#.into(), A(undated)),
        ("popularity an integer", r#""id":ID,"title":"T","popularity":7"#.into(), A(|movie| assert_eq!(movie["popularity"], 7.0))),
        ("popularity a float", r#""id":ID,"title":"T","popularity":7.125"#.into(), A(|movie| assert_eq!(movie["popularity"], 7.125))),
        ("popularity 1e400", r#""id":ID,"title":"T","popularity":1e400"#.into(), A(unpopular)),
        ("popularity -1", r#""id":ID,"title":"T","popularity":-1"#.into(), A(unpopular)),
        ("popularity a text", r#""id":ID,"title":"T","popularity":"much""#.into(), A(unpopular)),
        ("votes out of range", r#""id":ID,"title":"T","vote_average":11,"vote_count":-5"#.into(), A(|movie| titled(movie, "T"))),
        ("unknown and repeated genres", r#""id":ID,"title":"T","genre_ids":[28,99999,28,-1,null,"x",1e400]"#.into(), A(|movie| assert_eq!(movie["genres"], json!(["Action"])))),
        ("no genres", r#""id":ID,"title":"T""#.into(), A(without_genres)),
        ("genres of a wrong type", r#""id":ID,"title":"T","genre_ids":"28""#.into(), Nothing),
        ("NUL in a title", r#""id":ID,"title":"A\u0000B""#.into(), A(|movie| titled(movie, "AB"))),
        ("nothing but NUL", r#""id":ID,"title":"\u0000""#.into(), Nothing),
        ("half a surrogate pair", r#""id":ID,"title":"A\ud83dB""#.into(), A(|movie| assert!(movie["title"].as_str().unwrap().starts_with("A\u{fffd}")))),
        ("a whole surrogate pair", r#""id":ID,"title":"A\ud83d\ude00B""#.into(), A(|movie| titled(movie, "A😀B"))),
        ("every script", r#""id":ID,"title":"七人の侍 Список العربية हिन्दी ไทย 한국어 Ελλάδα""#.into(), A(|movie| titled(movie, "七人の侍 Список العربية हिन्दी ไทย 한국어 Ελλάδα"))),
        ("a title of 500 characters", format!(r#""id":ID,"title":"{}""#, long(500)), A(|movie| assert_eq!(movie["title"].as_str().unwrap().len(), 500))),
        ("a title of 501 characters", format!(r#""id":ID,"title":"{}""#, long(501)), Nothing),
        ("an original title of 501 characters", format!(r#""id":ID,"original_title":"{}""#, long(501)), Nothing),
        ("a title of 100,000 characters", format!(r#""id":ID,"title":"{}""#, long(100_000)), Nothing),
        ("an overview of 100,000 characters", format!(r#""id":ID,"title":"T","overview":"{}""#, long(100_000)), A(|movie| assert_eq!(movie["overview"], ""))),
        ("a path that is none", r#""id":ID,"title":"T","poster_path":"http://elsewhere/p.jpg""#.into(), A(|movie| assert_eq!(movie["poster_url"], ""))),
        ("unknown fields", r#""id":ID,"title":"T","softcore":false,"new":{"a":[1,{}]}"#.into(), A(|movie| titled(movie, "T"))),
        ("deep nesting in an unknown field", format!(r#""id":ID,"title":"T","new":{deep}"#), A(|movie| titled(movie, "T"))),
        ("deep nesting in a title", format!(r#""id":ID,"title":{deep}"#), Nothing),
        ("the same field twice", r#""id":ID,"title":"T","title":"U""#.into(), Nothing),
    ];
    let mut rows: Vec<String> =
        (1000..).zip(&cases).map(|(id, case)| format!("{{{}}}", case.1.replace("ID", &format!("{id}")))).collect();
    // Rows that are no movies at all, and a whole one behind all of them.
    rows.extend(["null", "7", "[]", r#"[5000,"T"]"#, r#""x""#, "{}", &deep].map(str::to_owned));
    rows.push(stub::movie(1).to_string());
    let (app, _tmdb) = with_page(&pool, page_of(&rows.join(","))).await;

    let stored = cases.iter().filter(|case| matches!(case.2, A(_))).count() + 1;
    let report = app.sync(1).await.json();
    assert_eq!((&report["movies_synced"], &report["failed_pages"]), (&stored.into(), &json!([])));
    assert_eq!(app.count("SELECT count(*) FROM movies").await, stored as i64);
    for (tmdb_id, (name, _, becomes)) in (1000..).zip(&cases) {
        let id: Option<i32> = sqlx::query_scalar("SELECT id FROM movies WHERE tmdb_id = $1")
            .bind(tmdb_id)
            .fetch_optional(&app.pool)
            .await
            .unwrap();
        match (becomes, id) {
            (Nothing, None) => {}
            (A(check), Some(id)) => check(&app.get(&format!("/api/v1/movies/{id}")).await.json()),
            _ => panic!("{name}: stored as {id:?}"),
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_page_may_have_any_number_of_rows_and_repeat_them(pool: PgPool) {
    let rows: Vec<String> =
        (1..=10_000_u32).map(|id| format!(r#"{{"id":{id},"title":"M {id}","genre_ids":[28,18]}}"#)).collect();
    let (app, _tmdb) = with_page(&pool, page_of(&format!("{0},{0}", rows.join(",")))).await;
    assert_eq!(app.sync(1).await.json()["movies_synced"], 10_000);
    assert_eq!(app.count("SELECT count(*) FROM movie_genres").await, 20_000);

    let (app, _tmdb) = with_page(&pool, page_of("")).await;
    let report = app.sync(1).await.json();
    assert_eq!((&report["movies_synced"], &report["pages"]), (&0.into(), &1.into()));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_page_that_is_not_what_it_should_be_fails_as_a_whole(pool: PgPool) {
    let not_json = "sync failed: TMDB's answer is not the JSON that was expected";
    let whole = stub::page(1, stub::movies_of(1), 1).to_string();
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let mut cases = vec![
        ("<!doctype html><html>maintenance</html>".to_owned(), not_json),
        ("[]".to_owned(), not_json),
        ("null".to_owned(), not_json),
        ("{}".to_owned(), not_json),
        (r#"{"results":null}"#.to_owned(), not_json),
        (r#"{"results":{"id":1}}"#.to_owned(), not_json),
        (format!("{whole}x"), not_json),
        (deep, not_json),
        (String::new(), "sync failed: TMDB's answer was cut off"),
        ("x".repeat(50 * 1024 * 1024), "sync failed: TMDB's answer is too large"),
    ];
    cases.extend(
        (1..20).map(|part| (whole[..whole.len() * part / 20].to_owned(), "sync failed: TMDB's answer was cut off")),
    );
    for (body, error) in cases {
        let (app, _tmdb) = with_page(&pool, body).await;
        app.sync(1).await.assert_error(502, error);
        assert_eq!(app.count("SELECT count(*) FROM movies").await, 0);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_compressed_answer_that_nobody_asked_for_is_not_unpacked(pool: PgPool) {
    let tmdb = Stub::start(|request| async move {
        if request.page() == 0 {
            return stub::plain(&request, 1);
        }
        ([("content-encoding", "gzip")], vec![0x1f_u8, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]).into_response()
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.sync(1).await.assert_error(502, "sync failed: TMDB's answer is not the JSON that was expected");
    assert!(tmdb.seen().iter().all(|request| !request.headers.contains_key("accept-encoding")));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("2024-01-01")),
    ];
    let name = prop_oneof![
        Just("id"),
        Just("title"),
        Just("results"),
        Just("genre_ids"),
        Just("release_date"),
        Just("popularity"),
        Just("total_pages"),
        Just("genres"),
        Just("name"),
        Just("runtime"),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..8)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_json_and_any_text_is_decoded_or_refused(json in any_json(), text in "\\PC{0,200}") {
        use movie_service::service::tmdb::decode;
        for body in [json.to_string(), json!({"results": [json.clone(), stub::movie(7)]}).to_string(), text] {
            let _ = decode::genres(&body);
            let _ = decode::runtime(&body);
            if let Ok(page) = decode::movies(&body) {
                for movie in page.movies {
                    prop_assert!(movie.tmdb_id > 0 && !movie.title.is_empty() && !movie.title.contains('\0'));
                    prop_assert!(movie.popularity.is_none_or(|popularity| popularity.is_finite() && popularity >= 0.0));
                }
            }
        }
        let page = decode::movies(&json!({"results": [json, stub::movie(2_000_000_007)]}).to_string()).unwrap();
        prop_assert!(page.movies.iter().any(|movie| movie.title == "Movie 2000000007"), "the whole row stays");
    }
}

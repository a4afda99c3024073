//! `include` and `facets`.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::TestApp;

const FIELDS: [&str; 12] = [
    "genres",
    "overview",
    "original_title",
    "language",
    "duration",
    "backdrop_url",
    "vote_average",
    "vote_count",
    "tmdb_id",
    "locked_fields",
    "created_at",
    "updated_at",
];

async fn four_movies(pool: &PgPool) -> TestApp {
    let app = TestApp::new(pool).await;
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (28, 'War'), (18, 'Drama'), (878, 'Western');
         INSERT INTO movies (tmdb_id, title, original_title, overview, release_date, popularity, original_language,
                             vote_average, vote_count, runtime, backdrop_path, locked_fields) VALUES
            (11, 'Alien', 'Alien!', 'In space.', '1979-05-25', 60, 'en', 8.2, 2000, 136, '/b.jpg', '{title}'),
            (-12, 'Aliens', NULL, '', '1999-12-31', 50, 'en', 0, 0, NULL, NULL, '{}'),
            (NULL, 'Drama', NULL, '', '1999-01-01', 40, 'fr', NULL, NULL, NULL, NULL, '{}'),
            (14, 'Unknown', NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}');
         INSERT INTO movie_genres VALUES (1, 1), (1, 2), (2, 1), (3, 2), (4, 1);",
    )
    .await;
    app
}

#[sqlx::test(migrations = "./migrations")]
async fn included_fields_are_those_of_the_detail(pool: PgPool) {
    let app = four_movies(&pool).await;
    let plain = app.list("").await;
    for name in FIELDS {
        for row in app.list(&format!("include={name}")).await["data"].as_array().unwrap() {
            let detail = app.get(&format!("/api/v1/movies/{}", row["id"])).await.json();
            assert_eq!(row.as_object().unwrap().len(), 6);
            assert_eq!(row.get(name), Some(&detail[name]), "{name}");
        }
    }
    let all = app.list(&format!("include={}", FIELDS.join(","))).await;
    assert_eq!(all["data"][0].as_object().unwrap().len(), 5 + FIELDS.len());
    assert_eq!((&all["data"][0]["genres"], &all["data"][0]["tmdb_id"]), (&json!(["Drama", "War"]), &json!(11)));
    assert!(all["data"][1]["tmdb_id"].is_null() && all["data"][2]["tmdb_id"].is_null());
    assert_eq!(app.list("q=alien&include=genres").await["data"][0]["genres"], json!(["Drama", "War"]));
    assert_eq!(app.list("").await, plain, "cached apart");
    assert_eq!(plain["data"][0].as_object().unwrap().len(), 5);
}

fn counts(list: &Value, facet: &str, name: &str) -> Vec<(Value, i64)> {
    let counts = list["facets"][facet].as_array().unwrap();
    counts.iter().map(|count| (count[name].clone(), count["movies"].as_i64().unwrap())).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn facets_count_what_matches(pool: PgPool) {
    let app = four_movies(&pool).await;
    let list = app.list("facets=genres,language,year&page_size=1").await;
    assert_eq!(counts(&list, "genres", "name"), [("War".into(), 3), ("Drama".into(), 2)]);
    assert_eq!(list["facets"]["genres"][0], json!({"id": 1, "name": "War", "movies": 3}));
    assert_eq!(counts(&list, "language", "language"), [("en".into(), 2), ("fr".into(), 1)]);
    assert_eq!(counts(&list, "year", "year"), [(1999.into(), 2), (1979.into(), 1)]);

    let list = app.list("facets=year&with_genres=drama").await;
    assert_eq!(counts(&list, "year", "year"), [(1999.into(), 1), (1979.into(), 1)]);
    assert_eq!(list["facets"].as_object().unwrap().len(), 1, "only what is asked for");
    let list = app.list("facets=genres,language&q=alien").await;
    assert_eq!(counts(&list, "genres", "name"), [("War".into(), 2), ("Drama".into(), 1)]);
    assert_eq!(counts(&list, "language", "language"), [("en".into(), 2)]);
    let list = app.list("facets=genres,language,year&q=nothing+like+it").await;
    assert_eq!(list["facets"], json!({"genres": [], "language": [], "year": []}));
    assert!(app.list("").await.get("facets").is_none());
}

#[sqlx::test(migrations = "./migrations")]
async fn facets_follow_every_change(pool: PgPool) {
    let app = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    app.execute("INSERT INTO movies (title, original_language) VALUES ('One', 'en'), ('Two', 'en')").await;
    for _ in 0..2 {
        assert_eq!(counts(&app.list("facets=language").await, "language", "language"), [("en".into(), 2)]);
    }
    app.execute("UPDATE movies SET original_language = 'fr' WHERE title = 'Two'").await;
    let list = app.list("facets=language").await;
    assert_eq!(counts(&list, "language", "language"), [("en".into(), 1), ("fr".into(), 1)]);
}

#[sqlx::test(migrations = "./migrations")]
async fn what_cannot_be_included_or_counted_is_refused(pool: PgPool) {
    let app = four_movies(&pool).await;
    let long = "genres,".repeat(1500);
    for (name, expected) in [
        (
            "include",
            "some of genres, overview, original_title, language, duration, backdrop_url, vote_average, vote_count, \
             tmdb_id, locked_fields, created_at, updated_at, each once, separated by ','",
        ),
        ("facets", "some of genres, language, year, each once, separated by ','"),
    ] {
        for value in
            ["", ",", "genres,", "Genres", "genres,genres", "id", "genres%00", "%ff", "%zz", "1", "NaN", "-1", &long]
        {
            let reply = app.get(&format!("/api/v1/movies?{name}={value}")).await;
            reply.assert_error(400, &format!("invalid {name}, expected {expected}"));
            assert_eq!(reply.json()["field"], name);
        }
        let reply = app.get(&format!("/api/v1/movies?{name}=genres&{name}=language")).await;
        reply.assert_error(400, &format!("invalid {name}, expected it only once"));
    }
}

//! Filters of the list, and the orders that came with them.

use axum::http::Method;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::TestApp;

/// Ids 1 to 6 in this order; genres Action 1, Drama 2, Science Fiction 3.
async fn six_movies(pool: &PgPool) -> TestApp {
    let app = TestApp::new(pool).await;
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (28, 'Action'), (18, 'Drama'), (878, 'Science Fiction');
         INSERT INTO movies (tmdb_id, title, release_date, popularity, original_language, vote_average, vote_count,
                             runtime, created_at) VALUES
            (11, 'Both',     '1999-03-31', 60, 'en', 8.2,  2000, 136,  '2026-01-03'),
            (12, 'Action',   '1999-12-31', 50, 'en', 6.0,  100,  90,   '2026-01-02'),
            (13, 'Drama',    '2000-01-01', 40, 'fr', 8.2,  500,  200,  '2026-01-01'),
            (14, 'Unrated',  '1998-12-31', 30, 'ja', 0,    0,    NULL, '2026-01-06'),
            (15, 'Unknown',  NULL,         NULL, NULL, NULL, NULL, NULL, '2026-01-05'),
            (16, 'All three','2010-01-01', 10, 'fr', 10,   1,    90,   '2026-01-05');
         INSERT INTO movie_genres VALUES (1, 1), (1, 2), (2, 1), (3, 2), (6, 1), (6, 2), (6, 3);",
    )
    .await;
    app
}

async fn ids(app: &TestApp, query: &str) -> Vec<i64> {
    let list = app.list(query).await;
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|movie| movie["id"].as_i64().unwrap()).collect();
    assert_eq!(list["total_results"], ids.len(), "{query}");
    ids
}

#[sqlx::test(migrations = "./migrations")]
async fn genres_are_named_or_numbered_all_or_any(pool: PgPool) {
    let app = six_movies(&pool).await;
    for (query, expected) in [
        ("with_genres=drama", vec![1, 3, 6]),
        ("with_genres=DRAMA,action", vec![1, 6]),
        ("with_genres=2%2C1", vec![1, 6]),
        ("with_genres=science%20fiction|drama", vec![1, 3, 6]),
        ("with_genres=Science+Fiction", vec![6]),
        ("without_genres=drama", vec![2, 4, 5]),
        ("without_genres=drama,action", vec![2, 3, 4, 5]),
        ("without_genres=drama%7Caction", vec![4, 5]),
        ("with_genres=action&without_genres=3", vec![1, 2]),
    ] {
        assert_eq!(ids(&app, &format!("{query}&sort_by=title")).await.len(), expected.len(), "{query}");
        let mut found = ids(&app, query).await;
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn an_unknown_genre_is_refused_with_those_known(pool: PgPool) {
    let app = six_movies(&pool).await;
    for name in ["with_genres", "without_genres"] {
        for value in ["Dramas", "4", "drama,x", "18", "drama%25"] {
            let reply = app.get(&format!("/api/v1/movies?{name}={value}")).await;
            reply.assert_error(400, &format!("unknown genre in {name}, known are: Action, Drama, Science Fiction"));
            assert_eq!((&reply.json()["field"], &reply.json()["code"]), (&name.into(), &"unknown_genre".into()));
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn filters_can_be_combined_and_unknown_values_do_not_pass(pool: PgPool) {
    let app = six_movies(&pool).await;
    for (query, expected) in [
        ("with_original_language=FR", vec![3, 6]),
        ("year=1999", vec![1, 2]),
        ("year=1999&release_date_from=1999-12-01", vec![2]),
        ("year=1999&release_date_from=2000-01-01", vec![]),
        ("vote_average_gte=8.2", vec![1, 3, 6]),
        ("vote_average_lte=8", vec![2]),
        ("vote_average_gte=6&vote_average_lte=8.2&vote_count_gte=101", vec![1, 3]),
        ("vote_count_gte=0", vec![1, 2, 3, 4, 6]),
        ("runtime_gte=90&runtime_lte=136", vec![1, 2, 6]),
        ("popularity_gte=30.0", vec![1, 2, 3, 4]),
        ("ids=6,4,99,4", vec![4, 6]),
        ("ids=1,2,3&with_genres=action&vote_average_gte=7&with_original_language=en&runtime_lte=200", vec![1]),
        ("nonsense=1&Year=2000&ids%20=7", vec![1, 2, 3, 4, 6, 5]),
    ] {
        assert_eq!(ids(&app, query).await, expected, "{query}");
    }
    let page = app.list("with_original_language=fr&page=2&page_size=1").await;
    assert_eq!((&page["total_pages"], &page["data"][0]["id"]), (&2.into(), &6.into()));
    assert_eq!(app.list("year=1999&page=7").await["total_results"], 2, "past the end");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_filter_that_cannot_be_meant_is_refused_by_name(pool: PgPool) {
    let app = six_movies(&pool).await;
    let long = "9".repeat(10_000);
    for (name, expected) in [
        ("with_genres", "up to 20 genres by name or id, separated by ',' (all of them) or '|' (any of them)"),
        ("without_genres", "up to 20 genres by name or id, separated by ',' (all of them) or '|' (any of them)"),
        ("with_original_language", "an ISO 639 language code of 2 or 3 letters"),
        ("year", "a year from 1 to 9999"),
        ("vote_average_gte", "a number from 0 to 10"),
        ("vote_average_lte", "a number from 0 to 10"),
        ("vote_count_gte", "a whole number from 0 to 2147483647"),
        ("runtime_gte", "a whole number from 0 to 2147483647"),
        ("runtime_lte", "a whole number from 0 to 2147483647"),
        ("popularity_gte", "a number of at least 0"),
        ("ids", "up to 100 movie ids separated by ','"),
    ] {
        for value in ["", "%00", "%ff", "%zz", long.as_str()] {
            let reply = app.get(&format!("/api/v1/movies?{name}={value}")).await;
            reply.assert_error(400, &format!("invalid {name}, expected {expected}"));
            assert_eq!(reply.json()["field"], name);
        }
        let reply = app.get(&format!("/api/v1/movies?{name}=1&{name}=1")).await;
        reply.assert_error(400, &format!("invalid {name}, expected it only once"));
    }
    for query in ["year=NaN", "vote_average_gte=NaN", "vote_average_lte=-1", "ids=-1", "runtime_gte=1.5"] {
        assert_eq!(app.get(&format!("/api/v1/movies?{query}")).await.status, 400, "{query}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_misspelt_parameter_is_refused_with_the_nearest_one(pool: PgPool) {
    let app = six_movies(&pool).await;
    for (path, name, nearest) in [
        ("movies?with_genre=drama", "with_genre", "with_genres"),
        ("movies?vote_average.gte=7", "vote_average.gte", "vote_average_gte"),
        ("movies?q=drama&Page=2", "Page", "page"),
        ("movies/random?with_genre=drama", "with_genre", "with_genres"),
        ("movies/random?page=2&Year=1999", "Year", "year"),
        ("movies/1/similar?limits=2", "limits", "limit"),
    ] {
        let reply = app.get(&format!("/api/v1/{path}")).await;
        reply.assert_error(400, &format!("unknown parameter {name}, the nearest known one is {nearest}"));
        assert_eq!((&reply.json()["field"], &reply.json()["code"]), (&name.into(), &"unknown_parameter".into()));
    }
    for tolerated in ["movies?utm_source=x", "movies?Page=2&page=1", "movies?page_sizes=3", "movies/1?x=1"] {
        assert_eq!(app.get(&format!("/api/v1/{tolerated}")).await.status, 200, "{tolerated}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_other_orders_put_unknown_values_last_and_break_ties_by_id(pool: PgPool) {
    let app = six_movies(&pool).await;
    for (sort_by, descending, ascending) in [
        ("vote_average", [6, 3, 1, 2, 5, 4], [2, 1, 3, 6, 4, 5]),
        ("vote_count", [1, 3, 2, 6, 4, 5], [4, 6, 2, 3, 1, 5]),
        ("runtime", [3, 1, 6, 2, 5, 4], [2, 6, 1, 3, 4, 5]),
        ("created_at", [4, 6, 5, 1, 2, 3], [3, 2, 1, 5, 6, 4]),
    ] {
        assert_eq!(ids(&app, &format!("sort_by={sort_by}")).await, descending, "{sort_by}");
        assert_eq!(ids(&app, &format!("sort_by={sort_by}&order=asc")).await, ascending, "{sort_by}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn votes_without_an_average_are_listed_last(pool: PgPool) {
    let app = six_movies(&pool).await;
    let entered = r#"{"title":"Entered by hand","vote_count":300}"#;
    assert_eq!(app.write(Method::POST, "/api/v1/movies", entered).await.status, 201);
    for (filter, descending, ascending) in [
        ("vote_count_gte=1", vec![6, 3, 1, 2, 7], vec![2, 1, 3, 6, 7]),
        ("vote_count_gte=10", vec![3, 1, 2, 7], vec![2, 1, 3, 7]),
        ("vote_count_gte=300&runtime_gte=1", vec![3, 1], vec![1, 3]),
        ("vote_count_gte=300&q=hand", vec![7], vec![7]),
        ("vote_count_gte=10&vote_average_gte=0", vec![3, 1, 2], vec![2, 1, 3]),
    ] {
        assert_eq!(ids(&app, &format!("sort_by=vote_average&{filter}")).await, descending, "{filter}");
        assert_eq!(ids(&app, &format!("sort_by=vote_average&order=asc&{filter}")).await, ascending, "{filter}");
    }
    let page = app.list("sort_by=vote_average&vote_count_gte=10&page_size=3").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = app.list(&format!("sort_by=vote_average&vote_count_gte=10&page_size=3&cursor={cursor}")).await;
    assert_eq!((&next["data"][0]["id"], &next["next_cursor"]), (&7.into(), &Value::Null));
}

#[sqlx::test(migrations = "./migrations")]
async fn filtered_lists_are_cached_apart(pool: PgPool) {
    let app = six_movies(&pool).await;
    for round in 0..3 {
        for (query, count) in [("", 6), ("year=1999", 2), ("with_genres=drama", 3), ("with_genres=action,drama", 2)] {
            assert_eq!(ids(&app, query).await.len(), count, "{query} in round {round}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn the_second_migration_keeps_what_is_there(pool: PgPool) {
    let first = sqlx::raw_sql(include_str!("../../migrations/0001_catalogue.sql"));
    first.execute(&pool).await.unwrap();
    let movies =
        "INSERT INTO movies (tmdb_id, title, vote_average, vote_count) VALUES (1, 'One', 7.5, 2), (2, 'Two', 0, 0)";
    sqlx::raw_sql(movies).execute(&pool).await.unwrap();
    sqlx::raw_sql(include_str!("../../migrations/0002_discovery.sql")).execute(&pool).await.unwrap();
    let rows: Vec<(i32, String, Option<f64>, String)> =
        sqlx::query_as("SELECT tmdb_id, title, rating, search_text FROM movies ORDER BY id")
            .fetch_all(&pool)
            .await
            .unwrap();
    let row = |at, title: &str, rating, text: &str| (at, title.to_owned(), rating, text.to_owned());
    assert_eq!(rows, [row(1, "One", Some(7.5), "\n one \n"), row(2, "Two", None, "\n two \n")]);
}

//! How well a search finds what is meant: a list of queries, each with the movie that it must find.

use std::fmt::Write;

use serde_json::Value;
use sqlx::PgPool;

use crate::support::TestApp;

const QUERIES: &str = include_str!("fixtures/search_queries.tsv");
/// Instead of a movie.
const NOTHING: &str = "-";
/// Besides those of the sample.
const TITLES: &str = include_str!("fixtures/search_titles.tsv");
/// Of all queries, at least so many must find their movie in the first place, and among the first five.
const FIRST: f64 = 0.90;
const AMONG_FIVE: f64 = 0.97;

async fn catalogue(pool: &PgPool) -> TestApp {
    let app = TestApp::new(pool).await;
    app.sync(50).await;
    let (mut titles, mut dates, mut popularity) = (Vec::new(), Vec::new(), Vec::new());
    for line in TITLES.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        titles.push(fields[0]);
        dates.push(format!("{}-06-01", fields[1]));
        popularity.push(fields[2].parse::<f64>().unwrap());
    }
    sqlx::query(
        "INSERT INTO movies (title, release_date, popularity)
         SELECT t, d::date, p FROM unnest($1::text[], $2::text[], $3::float8[]) rows (t, d, p)",
    )
    .bind(titles)
    .bind(dates)
    .bind(popularity)
    .execute(pool)
    .await
    .unwrap();
    app
}

/// As the list of queries writes a movie.
fn shown(movie: &Value) -> String {
    let year = movie["release_date"].as_str().unwrap().split('-').next().unwrap().to_owned();
    format!("{} ({year})", movie["title"].as_str().unwrap())
}

#[sqlx::test(migrations = "./migrations")]
async fn searches_find_what_is_meant(pool: PgPool) {
    let app = catalogue(&pool).await;
    let (mut all, mut first, mut among_five, mut misses) = (0, 0, 0, String::new());
    for line in QUERIES.lines().filter(|line| !line.starts_with('#')) {
        let (q, expected) = line.split_once('\t').unwrap();
        let encoded = percent_encoding::utf8_percent_encode(q, percent_encoding::NON_ALPHANUMERIC);
        let list = app.list(&format!("q={encoded}&page_size=5")).await;
        let found: Vec<String> = list["data"].as_array().unwrap().iter().map(shown).collect();
        if expected == NOTHING {
            assert_eq!(found, [""; 0], "{q}");
            continue;
        }
        let place = found.iter().position(|title| title == expected);
        all += 1;
        first += i32::from(place == Some(0));
        among_five += i32::from(place.is_some());
        if place != Some(0) {
            writeln!(misses, "{q}: {expected} is not before {found:?}").unwrap();
        }
    }
    let share = |found: i32| f64::from(found) / f64::from(all);
    println!("{all} queries, {first} first, {among_five} among five; not first:\n{misses}");
    assert!(
        all >= 150 && share(first) >= FIRST && share(among_five) >= AMONG_FIVE,
        "{first} {among_five} of {all}:\n{misses}"
    );
}

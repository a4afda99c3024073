//! What is measured, and what the project promises of it.

use serde_json::Value;

use crate::{generator::Generator, http::Client};

/// A figure by its name in the table.
pub struct Figure {
    /// For people.
    pub name: &'static str,
    /// The requests, made in turn, or why they cannot be made.
    pub paths: Result<Vec<String>, String>,
    /// What the answer must hold for the figure to mean anything.
    pub proof: &'static str,
    /// What is promised at the largest size.
    pub promise: Promise,
}

/// What is promised.
#[derive(Clone, Copy, PartialEq)]
pub enum Promise {
    /// At most twice the bare query plus 1 ms, and 1.5 times the median of the smallest size.
    Flat,
    /// At most so many milliseconds.
    Millis(f64),
    /// Nothing.
    Nothing,
}

/// A filter as people use it.
const FILTER: &str = "with_genres=Drama&release_date_from=2000-01-01&release_date_to=2015-12-31&vote_count_gte=50";
/// How deep the deep pages are.
const DEPTH: f64 = 0.9;

/// The figures without a cache. `id` is a movie with genres.
pub fn uncached(client: &mut Client, generator: &Generator, size: usize, id: i64) -> Vec<Figure> {
    let list = |query: &str| Ok(format!("/api/v1/movies?{query}"));
    let search = |words: &str| list(&format!("q={}", words.replace(' ', "%20")));
    let misspelt = generator.misspelt_titles().iter().map(|title| search(title)).collect();
    let page = (size as f64 * DEPTH) as usize / 20;
    let figure = |name, path: Result<String, String>, proof, promise| Figure {
        name,
        paths: path.map(|path| vec![path]),
        proof,
        promise,
    };
    let movies = r#""data":[{"#;
    let facets = r#""facets":{"#;
    let words = Promise::Millis(20.0);
    vec![
        figure("list, page 1", list(""), movies, Promise::Flat),
        figure("detail", Ok(format!("/api/v1/movies/{id}")), r#""title":"#, Promise::Flat),
        figure("detail by its id at TMDB", Ok("/api/v1/movies/tmdb/500".to_owned()), r#""title":"#, Promise::Flat),
        figure("filter with sort", list(&format!("{FILTER}&sort_by=vote_average")), movies, Promise::Flat),
        // Nearly the same movies each time, but a filter whose total is not known yet.
        figure(
            "filter not seen before",
            list(&format!("{FILTER}&sort_by=vote_average&popularity_gte=0.0000{{n}}")),
            movies,
            Promise::Nothing,
        ),
        figure("page by key at 90 %", deep_cursor(client, page), movies, Promise::Flat),
        figure("page by number at 90 %", list(&format!("page={page}")), movies, Promise::Nothing),
        figure("q, a rare word", search(generator.word(20_000)), movies, words),
        figure("q, a common word (1 %)", search(generator.word(25)), movies, words),
        figure("q, the most common word", search(generator.word(0)), movies, words),
        Figure { name: "q, misspelt titles", paths: misspelt, proof: movies, promise: Promise::Millis(150.0) },
        figure("facets, filtered", list(&format!("{FILTER}&facets=genres,language,year")), facets, Promise::Nothing),
        figure("facets of all", list("facets=genres,language,year"), facets, Promise::Nothing),
        figure("random", Ok("/api/v1/movies/random".to_owned()), r#""title":"#, Promise::Nothing),
        figure("random, filtered", Ok(format!("/api/v1/movies/random?{FILTER}")), r#""title":"#, Promise::Nothing),
        figure("similar", Ok(format!("/api/v1/movies/{id}/similar")), r#""similar":[{"#, Promise::Millis(50.0)),
        figure("genres", Ok("/api/v1/genres".to_owned()), r#""genres":[{"#, Promise::Nothing),
    ]
}

/// Following a change of 1,000 movies since this version of the catalogue.
pub fn changes(since: &str) -> Figure {
    Figure {
        name: "catalogue, 1,000 changes",
        paths: Ok(vec![format!("/internal/v1/catalogue?since={since}")]),
        proof: r#""since":"#,
        promise: Promise::Millis(100.0),
    }
}

/// The figures with a cache, each with its key in Redis.
pub fn cached(id: i64) -> Vec<(Figure, String)> {
    let figure =
        |name, path: String| Figure { name, paths: Ok(vec![path]), proof: r#""title":"#, promise: Promise::Nothing };
    vec![
        (figure("list, cached", "/api/v1/movies".to_owned()), "movies:list:1:20:popularity:desc::".to_owned()),
        (figure("detail, cached", format!("/api/v1/movies/{id}")), format!("movie:detail:{id}")),
    ]
}

/// The page that follows the one with this number, by its cursor.
fn deep_cursor(client: &mut Client, page: usize) -> Result<String, String> {
    let body = client.good(&format!("/api/v1/movies?page={page}"))?;
    let body: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    let cursor = body["next_cursor"].as_str().ok_or("the list has no next_cursor")?;
    Ok(format!("/api/v1/movies?cursor={cursor}"))
}

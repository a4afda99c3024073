//! Filling an empty catalogue, whose indexes are all in place.

use std::time::{Duration, Instant};

use crate::{
    generator::{GENRES, Generator},
    http::Response,
    postgres::Server,
    service::Service,
};

/// Lines of one request: the most that are allowed.
const LINES: usize = 10_000;
/// Movies between two lines of progress.
const PROGRESS: usize = 100_000;

/// The genres of TMDB, which movies refer to by name.
pub fn genres(server: &Server, database: &str) {
    let values: Vec<String> = GENRES.iter().map(|(id, name)| format!("({id}, '{name}')")).collect();
    server.run(database, &[&format!("INSERT INTO genres (tmdb_id, name) VALUES {}", values.join(", "))]);
}

/// Stores `size` movies through `POST /api/v1/movies/bulk`; how long the requests took.
pub fn movies(service: &Service, server: &Server, database: &str, generator: &mut Generator, size: usize) -> Duration {
    let mut client = service.client();
    let (mut stored, mut spent) = (0, Duration::ZERO);
    while stored < size {
        let lines = generator.lines(LINES.min(size - stored));
        let sent = Instant::now();
        let response = client.post_lines("/api/v1/movies/bulk", &lines).expect("an response");
        spent += sent.elapsed();
        check(&response);
        stored += LINES.min(size - stored);
        if stored % PROGRESS == 0 || stored == size {
            eprintln!("  {stored} movies, {:.0} rows/s", stored as f64 / spent.as_secs_f64());
        }
    }
    let count = server.run(database, &["SELECT count(*) FROM movies"]);
    assert_eq!(count, size.to_string(), "not every line has been stored");
    spent
}

/// The last line is `{"end":true,"stored":10000,"failed":0}`.
fn check(response: &Response) {
    let text = String::from_utf8_lossy(&response.body);
    let is_good = response.status == 200 && text.trim_end().ends_with(r#""failed":0}"#);
    assert!(is_good, "{} {:?}", response.status, text.lines().find(|line| !line.contains(r#""status":201"#)));
}

//! Filling an empty catalogue, whose indexes are all in place.

use std::time::{Duration, Instant};

use crate::{
    generator::{GENRES, Generator},
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
        if std::env::var_os("BENCH_LOAD_SQL").is_some() {
            by_sql(server, database, &lines);
        } else {
            let answer = client.post_lines("/api/v1/movies/bulk", &lines).expect("an answer");
            let text = String::from_utf8_lossy(&answer.body);
            assert_eq!(answer.status, 200, "{text}");
        }
        spent += sent.elapsed();
        stored += LINES.min(size - stored);
        if stored % PROGRESS == 0 || stored == size {
            eprintln!("  {stored} movies, {:.0} rows/s", stored as f64 / spent.as_secs_f64());
        }
    }
    let count = server.run(database, &["SELECT count(*) FROM movies"]);
    assert_eq!(count, size.to_string(), "not every line has been stored");
    spent
}

fn by_sql(server: &Server, database: &str, lines: &[u8]) {
    let mut script = b"CREATE TEMP TABLE lines (j jsonb);
        COPY lines FROM STDIN (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02');\n"
        .to_vec();
    script.extend_from_slice(lines);
    script.extend_from_slice(b"\\.
        INSERT INTO movies (tmdb_id, title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
            original_language, runtime, vote_average, vote_count)
        SELECT (j->>'tmdb_id')::int, j->>'title', j->>'original_title', j->>'overview', NULLIF(j->>'release_date', '')::date,
            (j->>'popularity')::float8, j->>'poster_url', j->>'backdrop_url', j->>'language', (j->>'duration')::int,
            (j->>'vote_average')::float8, (j->>'vote_count')::int FROM lines;
        INSERT INTO movie_genres SELECT m.id, g.id FROM lines CROSS JOIN jsonb_array_elements_text(j->'genres') n
            JOIN genres g ON g.name = n JOIN movies m ON m.tmdb_id = (j->>'tmdb_id')::int;\n");
    server.run_script(database, &script);
}

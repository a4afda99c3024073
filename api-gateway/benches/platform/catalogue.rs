//! A stand-in for movie-service that sends a made-up catalogue of any size, always the same.

use std::fmt::Write;

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

const TAG: &str = "\"1-1\"";
const GENRES: u64 = 19;
/// Movies were released in as many years, the last of them 2026.
const YEARS: u64 = 82;

/// Starts it; it ends with the process. Gives what `MOVIE_SERVICE_URL` should be.
pub async fn start(movies: u64) -> String {
    let catalogue = Bytes::from(lines(movies));
    let app = Router::new().route("/internal/v1/catalogue", get(async move |headers| answer(&headers, catalogue)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn answer(headers: &HeaderMap, catalogue: Bytes) -> Response {
    match headers.contains_key(header::IF_NONE_MATCH) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::ETAG, TAG), (header::CONTENT_TYPE, "application/x-ndjson")], catalogue).into_response(),
    }
}

/// A catalogue as movie-service sends it, with the shape of a real one: popularity falls steeply, titles have their usual
/// lengths, a movie has up to four of 19 genres.
fn lines(movies: u64) -> String {
    let genres: Vec<String> = (0..GENRES).map(|id| format!(r#"{{"id":{id},"name":"Genre {id}"}}"#)).collect();
    let mut text = format!("{{\"catalogue_version\":\"1-1\",\"genres\":[{}]}}\n", genres.join(","));
    let mut numbers = Numbers(1);
    for id in 1..=movies {
        let (year, month, day) = (2026 - numbers.below(YEARS), 1 + numbers.below(12), 1 + numbers.below(28));
        let popularity = 3000.0 / (1 + numbers.below(movies)) as f64;
        let title = &"A title of usual length and more"[..8 + numbers.below(20) as usize];
        let (rating, votes) = (numbers.below(100) as f64 / 10.0, numbers.below(5_000));
        let genres: Vec<String> = (0..numbers.below(5)).map(|_| numbers.below(GENRES).to_string()).collect();
        let language = ["en", "en", "en", "fr", "ja", "ko"][numbers.below(6) as usize];
        let (runtime, genres) = (60 + numbers.below(100), genres.join(","));
        writeln!(
            text,
            r#"{{"id":{id},"title":"{title}","release_date":"{year}-{month:02}-{day:02}","popularity":{popularity},"poster_path":"/f89U3ADr1oiB1s9GkdPOEpXUk5H.jpg","vote_average":{rating},"vote_count":{votes},"original_language":"{language}","runtime":{runtime},"genre_ids":[{genres}]}}"#,
        )
        .expect("a string takes all");
    }
    text + &format!("{{\"end\":true,\"movies\":{movies}}}\n")
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

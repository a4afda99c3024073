//! A stand-in for TMDB without delay: every synchronisation finds 1,000 movies that were never there before.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Where the stand-in listens.
pub struct StandIn {
    /// What `TMDB_BASE_URL` should be.
    pub url: String,
}

#[derive(Deserialize)]
struct Discover {
    page: u32,
}

const GENRES: [(u32, &str); 6] =
    [(18, "Drama"), (35, "Comedy"), (28, "Action"), (27, "Horror"), (37, "Western"), (53, "Thriller")];

/// Starts it; it ends with the process.
pub async fn start() -> StandIn {
    let syncs = Arc::new(AtomicU32::new(0));
    let app = Router::new()
        .route("/genre/movie/list", get(genres))
        .route("/discover/movie", get(discover))
        .route("/movie/{id}", get(async || Json(json!({"runtime": 100}))))
        .with_state(syncs);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    StandIn { url }
}

async fn genres() -> Json<Value> {
    let genres: Vec<_> = GENRES.iter().map(|(id, name)| json!({"id": id, "name": name})).collect();
    Json(json!({"genres": genres}))
}

async fn discover(State(syncs): State<Arc<AtomicU32>>, Query(Discover { page }): Query<Discover>) -> Json<Value> {
    // Each synchronisation asks for page 1 once, and for the others afterwards.
    let sync = syncs.fetch_add(u32::from(page == 1), Ordering::Relaxed) + u32::from(page == 1);
    let first = sync * 100_000 + page * 20;
    let results: Vec<_> = (first..first + 20).map(movie).collect();
    Json(json!({"page": page, "results": results, "total_pages": 500, "total_results": 10_000}))
}

fn movie(id: u32) -> Value {
    let genre = |step: u32| GENRES[((id / step) % 6) as usize].0;
    json!({
        "adult": false, "backdrop_path": format!("/backdrop{id}.jpg"), "genre_ids": [genre(1), genre(7)], "id": id,
        "original_language": "en", "original_title": format!("Movie {id}"), "title": format!("Movie {id}"),
        "overview": "A stand-in that is about as long as what TMDB sends for a movie that somebody has written about. ".repeat(3),
        "popularity": f64::from(id % 1000) / 7.0, "poster_path": format!("/poster{id}.jpg"),
        "release_date": format!("20{:02}-{:02}-{:02}", id % 26, id % 12 + 1, id % 28 + 1), "video": false,
        "vote_average": f64::from(id % 100) / 10.0, "vote_count": id % 5000 + 1,
    })
}

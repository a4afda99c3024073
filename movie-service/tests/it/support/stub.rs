//! A stand-in for TMDB.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub struct RecordedRequest {
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub at: Instant,
}

impl RecordedRequest {
    /// The number of the discover page, or 0.
    pub fn page(&self) -> u32 {
        let page = self.query.split('&').find_map(|pair| pair.strip_prefix("page="));
        page.map_or(0, |page| page.parse().unwrap())
    }

    /// The id of the movie asked about, or 0.
    pub fn movie(&self) -> i32 {
        self.path.strip_prefix("/3/movie/").map_or(0, |id| id.parse().unwrap())
    }
}

type BoxedResponse = Pin<Box<dyn Future<Output = Response> + Send>>;
type Respond = Arc<dyn Fn(RecordedRequest) -> BoxedResponse + Send + Sync>;

pub struct Stub {
    pub url: String,
    seen: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl Stub {
    pub async fn start<F>(respond: impl Fn(RecordedRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let respond: Respond = Arc::new(move |request| Box::pin(respond(request)));
        let router = Router::new().fallback(answer).with_state((respond, seen.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/3", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen }
    }

    /// Genres, as many pages of twenty as are asked for, and two hours for each movie.
    pub async fn plain() -> Self {
        Self::start(|request| async move { plain(&request, u32::MAX) }).await
    }

    pub fn seen(&self) -> Vec<RecordedRequest> {
        self.seen.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|request| request.path == path).count()
    }

    /// Settings that make a service use it.
    pub fn settings(&self) -> [(&str, &str); 2] {
        [("TMDB_BASE_URL", &self.url), ("TMDB_API_KEY", KEY)]
    }
}

pub const KEY: &str = "k3y-that-nobody-may-see";

async fn answer(
    State((respond, seen)): State<(Respond, Arc<Mutex<Vec<RecordedRequest>>>)>,
    request: Request,
) -> Response {
    let request = RecordedRequest {
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: request.headers().clone(),
        at: Instant::now(),
    };
    seen.lock().unwrap().push(request.clone());
    respond(request).await
}

/// What a healthy TMDB with `total` pages answers.
pub fn plain(request: &RecordedRequest, total: u32) -> Response {
    match request.path.as_str() {
        "/3/genre/movie/list" => ok(genres()),
        "/3/discover/movie" if request.page() > total => ok(page(request.page(), vec![], total)),
        "/3/discover/movie" => ok(page(request.page(), movies_of(request.page()), total)),
        path if path.starts_with("/3/movie/") => ok(json!({"id": request.movie(), "runtime": 120})),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

pub fn ok(body: Value) -> Response {
    raw(body.to_string())
}

pub fn raw(body: impl Into<Bytes>) -> Response {
    ([("content-type", "application/json;charset=utf-8")], body.into()).into_response()
}

pub fn status(status: u16) -> Response {
    let body = json!({"status_code": 11, "status_message": format!("Internal error: something with {KEY}")});
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

/// Promises more than it sends.
pub fn cut(body: &str, after: usize) -> Response {
    let sent = Bytes::copy_from_slice(&body.as_bytes()[..after]);
    let pieces = [Ok(sent), Err(std::io::Error::other("cut"))];
    let body_stream = Body::from_stream(futures_util::stream::iter(pieces));
    ([("content-length", body.len().to_string())], body_stream).into_response()
}

pub async fn never() -> Response {
    tokio::time::sleep(Duration::from_secs(3600)).await;
    status(500)
}

pub fn genres() -> Value {
    json!({"genres": [{"id": 28, "name": "Action"}, {"id": 35, "name": "Comedy"}, {"id": 18, "name": "Drama"}]})
}

pub fn page(number: u32, movies: Vec<Value>, total: u32) -> Value {
    json!({"page": number, "results": movies, "total_pages": total, "total_results": total.saturating_mul(20)})
}

/// The twenty movies of a page: ids 1 to 20 on the first, and so on.
pub fn movies_of(page: u32) -> Vec<Value> {
    (page * 20 - 19..=page * 20).map(movie).collect()
}

pub fn movie(id: u32) -> Value {
    json!({
        "adult": false, "backdrop_path": format!("/b{id}.jpg"), "genre_ids": [28, 18], "id": id,
        "original_language": "en", "original_title": format!("Original {id}"), "overview": format!("About {id}."),
        "popularity": 1000.0 - f64::from(id), "poster_path": format!("/p{id}.jpg"), "release_date": "2024-05-06",
        "title": format!("Movie {id}"), "video": false, "vote_average": 7.5, "vote_count": 100
    })
}

//! The last responses to GETs of movies and genres, which are served while movie-service is away (RFC 5861, stale-if-error).
//! Everyone gets the same ones, so they may be kept although requests carry a token.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, uri::PathAndQuery},
};
use hyper::body::{Frame, SizeHint};
use moka::sync::Cache;
use tokio::time::Instant;

use super::response_body::ResponseBody;

/// RFC 9211.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// Largest response that is kept.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;
/// How old a response may become.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// What an entry needs besides its body, in bytes; an estimate.
const OVERHEAD_BYTES: u32 = 1024;
/// Requests of which it is known when their response was kept.
const RECENT: usize = 1024;

/// Which response: target and `Accept-Encoding`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    target: PathAndQuery,
    encodings: Option<HeaderValue>,
}

#[derive(Clone)]
struct Entry {
    headers: HeaderMap,
    body: Bytes,
    stored_at: Instant,
}

/// The responses, shared by all workers.
pub struct StaleCache {
    entries: Cache<Key, Entry>,
    /// In which second which request's response was kept: a popular one need not be kept thousands of times a second.
    recent: Vec<AtomicU64>,
    started: Instant,
}

impl StaleCache {
    /// A cache of at most `max_bytes`.
    pub fn new(max_bytes: u64) -> Self {
        let weigh = |_: &Key, entry: &Entry| OVERHEAD_BYTES + entry.body.len() as u32;
        let entries = Cache::builder().max_capacity(max_bytes).weigher(weigh).time_to_live(MAX_AGE).build();
        let recent = (0..RECENT).map(|_| AtomicU64::new(0)).collect();
        Self { entries, recent, started: Instant::now() }
    }

    /// The key of a request whose response may be kept.
    pub fn key<T>(request: &Request<T>, target: &PathAndQuery) -> Option<Key> {
        let is_kept = request.method() == Method::GET
            && !request.headers().contains_key(header::RANGE)
            && is_public(target.path());
        let encodings = request.headers().get(header::ACCEPT_ENCODING);
        is_kept.then(|| Key { target: target.clone(), encodings: encodings.cloned() })
    }

    /// The body of a response that is kept when it has come whole, if the response is worth it.
    pub fn record(self: &Arc<Self>, key: Key, response: Response<ResponseBody>) -> Response<Body> {
        if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
            self.entries.invalidate(&key);
        }
        let length = response.body().size_hint().lower();
        if response.status() != StatusCode::OK
            || length > MAX_RESPONSE_BYTES as u64
            || !may_be_stored(response.headers())
            || self.was_stored_just_now(&key)
        {
            return response.map(Body::new);
        }
        let headers = response.headers().clone();
        let recorded = Vec::with_capacity(length as usize);
        response.map(|body| {
            let recording = Some(Recording { cache: self.clone(), key, headers, recorded });
            Body::new(RecordedBody { body, recording })
        })
    }

    /// What was kept, marked as such.
    pub fn get(&self, key: &Key) -> Option<Response<Body>> {
        let Entry { headers, body, stored_at } = self.entries.get(key)?;
        let age = stored_at.elapsed().as_secs();
        let mut response = Response::new(Body::from(body));
        *response.headers_mut() = headers;
        let status = format!("api-gateway; hit; ttl=-{age}; detail=stale-if-error");
        let status = HeaderValue::from_str(&status).expect("it is ASCII");
        response.headers_mut().append(CACHE_STATUS, status);
        response.headers_mut().insert(header::AGE, age.into());
        Some(response)
    }

    fn was_stored_just_now(&self, key: &Key) -> bool {
        let mut hasher = DefaultHasher::new();
        (key, self.started.elapsed().as_secs()).hash(&mut hasher);
        let hash = hasher.finish() | 1;
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.recent[hasher.finish() as usize % RECENT].swap(hash, Ordering::Relaxed) == hash
    }
}

/// Whether everyone gets the same response at this path.
fn is_public(path: &str) -> bool {
    let Some(path) = path.strip_prefix("/api/v1/") else { return false };
    let mut segments = path.trim_end_matches('/').split('/');
    match (segments.next(), segments.next()) {
        (Some("genres"), None) | (Some("movies"), None) => true,
        (Some("movies"), Some(id)) => !matches!(id, "random" | "bulk"),
        _ => false,
    }
}

fn may_be_stored(headers: &HeaderMap) -> bool {
    let directives = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let is_forbidden = |directive: &str| {
        let name = directive.split('=').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("private")
    };
    !headers.contains_key(header::SET_COOKIE) && !directives.flat_map(|line| line.split(',')).any(is_forbidden)
}

/// What is kept when the body has ended.
struct Recording {
    cache: Arc<StaleCache>,
    key: Key,
    headers: HeaderMap,
    recorded: Vec<u8>,
}

/// A body of which a copy is made.
struct RecordedBody {
    body: ResponseBody,
    /// `None` when it is not to be kept after all.
    recording: Option<Recording>,
}

impl RecordedBody {
    fn note(&mut self, frame: Option<&Frame<Bytes>>) {
        match frame.map(Frame::data_ref) {
            Some(Some(data)) => {
                let room = |recording: &mut Recording| recording.recorded.len() + data.len() <= MAX_RESPONSE_BYTES;
                self.recording =
                    self.recording.take().and_then(|mut recording| room(&mut recording).then_some(recording));
                if let Some(recording) = &mut self.recording {
                    recording.recorded.extend_from_slice(data);
                }
            }
            Some(None) => self.recording = None,
            None => {}
        }
        if (frame.is_none() || self.body.is_end_stream())
            && let Some(Recording { cache, key, headers, recorded }) = self.recording.take()
        {
            let entry = Entry { headers, body: recorded.into(), stored_at: Instant::now() };
            cache.entries.insert(key, entry);
        }
    }
}

impl HttpBody for RecordedBody {
    type Data = Bytes;
    type Error = <ResponseBody as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => self.note(Some(frame)),
            Some(Err(_)) => self.recording = None,
            None => self.note(None),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_everyone_gets_alike_is_kept() {
        for path in
            ["/api/v1/movies", "/api/v1/movies/", "/api/v1/movies/1", "/api/v1/movies/1/similar", "/api/v1/genres"]
        {
            assert!(is_public(path), "{path}");
        }
        for path in ["/api/v1/movies/random", "/api/v1/movies/bulk", "/api/v1/admin/sync", "/api/v1/users/1", "/movies"]
        {
            assert!(!is_public(path), "{path}");
        }
    }

    #[test]
    fn what_a_service_forbids_is_not_kept() {
        for (value, may_be) in [("public, max-age=5", true), ("No-Store", false), ("max-age=1, private=\"x\"", false)] {
            let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static(value))]);
            assert_eq!(may_be_stored(&headers), may_be, "{value}");
        }
    }
}

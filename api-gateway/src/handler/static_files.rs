//! Responses that never change while the process runs (Swagger UI and the specification) are compressed once and
//! served from memory: nobody needs a token for them, so they have to be cheap.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Larger than any of the files.
const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;
/// Files that only change with Swagger UI itself.
const ASSETS: [&str; 3] = [".js", ".css", ".png"];
/// Depends on the configuration of Swagger UI, unlike the other scripts.
const INITIALIZER: &str = "swagger-initializer.js";

/// The files that have been asked for, by path and coding. Clones share them.
#[derive(Clone, Default)]
pub struct StaticFiles(Arc<Mutex<HashMap<(String, &'static str), StaticFile>>>);

#[derive(Clone)]
struct StaticFile {
    headers: HeaderMap,
    etag: HeaderValue,
    body: Bytes,
}

/// A layer around routes with static content: caches their successful responses, and answers `If-None-Match`.
pub async fn serve(State(files): State<StaticFiles>, mut request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let coding = best_coding(request.headers());
    let key = (request.uri().path().to_owned(), coding);
    let asked = request.headers().clone();
    let cached = files.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    let file = match cached {
        Some(file) => file,
        None => {
            // The layer below compresses; hyper leaves out the body of a response to HEAD.
            *request.method_mut() = Method::GET;
            request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
            let response = next.run(request).await;
            if response.status() != StatusCode::OK {
                return response;
            }
            let Ok(file) = StaticFile::read(&key.0, response).await else {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            };
            files.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, file.clone());
            file
        }
    };
    file.into_response(&asked)
}

/// Whether a request's `If-None-Match` names this tag, or any.
pub(super) fn matches_etag(request: &HeaderMap, etag: &HeaderValue) -> bool {
    request.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).is_some_and(|tags| {
        let mut tags = tags.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
    })
}

/// The most compact coding that the client accepts.
pub(super) fn best_coding(headers: &HeaderMap) -> &'static str {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let accepted: Vec<_> = lines
        .flat_map(|line| line.split(','))
        .filter_map(|entry| {
            let (coding, weight) = entry.split_once(';').unwrap_or((entry, ""));
            let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
            weight.is_ok_and(|weight| weight > 0.0).then(|| coding.trim().to_ascii_lowercase())
        })
        .collect();
    ["br", "gzip"].into_iter().find(|coding| accepted.iter().any(|other| other == coding)).unwrap_or("identity")
}

impl StaticFile {
    async fn read(path: &str, response: Response) -> Result<Self, axum::Error> {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, MAX_FILE_BYTES).await?;
        let mut headers = parts.headers;
        headers.remove(header::CONTENT_LENGTH);
        let is_asset = ASSETS.iter().any(|extension| path.ends_with(extension)) && !path.ends_with(INITIALIZER);
        // An asset is used for a day without asking; a new version of the gateway may bring another one.
        let cache_control = if is_asset { "public, max-age=86400" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let etag = format!("\"{:016x}\"", hasher.finish()).try_into().expect("digits and quotes are legal");
        Ok(Self { headers, etag, body })
    }

    fn into_response(self, request: &HeaderMap) -> Response {
        let matches = matches_etag(request, &self.etag);
        let mut response = Response::new(if matches { Body::empty() } else { Body::from(self.body) });
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(header::ETAG, self.etag);
        if matches {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_ENCODING);
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_compact_accepted_coding_is_chosen() {
        for (accepted, expected) in [
            (&[][..], "identity"),
            (&["gzip, deflate, br, zstd"], "br"),
            (&["GZIP;q=0.5"], "gzip"),
            (&["br;q=0, gzip"], "gzip"),
            (&["deflate", "gzip"], "gzip"),
            (&["br;q=x"], "identity"),
            (&["*"], "identity"),
        ] {
            let mut headers = HeaderMap::new();
            for line in accepted {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(best_coding(&headers), expected, "{accepted:?}");
        }
    }
}

//! The web page: `GET /` and the files below `/app/`. They are part of the program, compressed when it was built, and
//! call nothing but the API behind this gateway.

use axum::{
    Json, Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use super::static_files::{best_coding, matches_etag};
use crate::error::{ApiError, route_not_found};

include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

/// Scripts, styles and requests of this origin only, and nothing inline. Posters of a catalogue from TMDB come from TMDB's
/// image server; without it the page draws its own.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' https://image.tmdb.org; object-src 'none'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);
/// The name of the folder changes with any of its files.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// A file of the page, with the codings that were made when the gateway was built.
struct File {
    /// Its path below the folder.
    name: &'static str,
    content_type: &'static str,
    /// Of the content; each coding has one of its own.
    etag: &'static str,
    identity: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
}

/// The addresses that a newcomer looks for, for programs.
#[derive(Debug, Serialize)]
struct Index {
    service: &'static str,
    swagger_ui: &'static str,
    specification: &'static str,
    health: &'static str,
    readiness: &'static str,
}

pub fn routes() -> Router {
    Router::new().route("/", get(index)).route(&format!("{FOLDER}/{{*name}}"), get(asset))
}

/// The page, or its links as JSON for a client that asks for that and not for HTML.
async fn index(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let vary = HeaderValue::from_static("accept, accept-encoding");
    if accept.contains("application/json") && !accept.contains("text/html") {
        let links = Index {
            service: env!("CARGO_PKG_NAME"),
            swagger_ui: "/swagger/",
            specification: "/swagger/doc.yaml",
            health: "/health",
            readiness: "/ready",
        };
        return ([(header::VARY, vary)], Json(links)).into_response();
    }
    let mut response = INDEX.respond(&headers, REVALIDATE, vary);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    match ASSETS.iter().find(|file| file.name == name) {
        Some(file) => Ok(file.respond(&headers, IMMUTABLE, HeaderValue::from_static("accept-encoding"))),
        None => Err(route_not_found().await),
    }
}

impl File {
    fn respond(&self, request: &HeaderMap, cache_control: HeaderValue, vary: HeaderValue) -> Response {
        let coding = best_coding(request);
        let body = match coding {
            "br" => self.brotli,
            "gzip" => self.gzip,
            _ => self.identity,
        };
        let etag = HeaderValue::try_from(format!("\"{}-{coding}\"", self.etag)).expect("hexadecimal digits are legal");
        let unchanged = matches_etag(request, &etag);
        let headers = [
            (header::ETAG, etag),
            (header::CACHE_CONTROL, cache_control),
            (header::VARY, vary),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        if unchanged {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let mut response = (headers, Body::from(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if coding != "identity" {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }
}

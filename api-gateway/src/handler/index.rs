//! `GET /`: links to what a newcomer looks for.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

const PAGE: &str = include_str!("../../web/index.html");
/// The page loads nothing, runs nothing and cannot be framed.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

/// The same links for programs.
#[derive(Debug, Serialize)]
struct Index {
    service: &'static str,
    swagger_ui: &'static str,
    specification: &'static str,
    health: &'static str,
    readiness: &'static str,
}

/// The links as HTML, or as JSON for a client that asks for it and not for HTML.
pub async fn index(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") && !accept.contains("text/html") {
        let links = Index {
            service: env!("CARGO_PKG_NAME"),
            swagger_ui: "/swagger/",
            specification: "/swagger/doc.yaml",
            health: "/health",
            readiness: "/ready",
        };
        return ([(header::VARY, "accept")], Json(links)).into_response();
    }
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    (headers, Html(PAGE)).into_response()
}

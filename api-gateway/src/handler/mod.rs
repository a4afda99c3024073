//! The gateway's own routes: the web page, health, readiness, status, Swagger.

mod dependencies;
mod docs;
mod health;
mod openapi;
mod readiness;
mod static_files;
mod status;
mod web;

use axum::{Router, middleware::from_fn_with_state, response::Html, routing::get};
use tower_http::compression::CompressionLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use self::dependencies::Dependencies;
use self::static_files::StaticFiles;

/// Swagger UI's own page has neither a viewport nor the platform's title.
const SWAGGER_PAGE: &str = include_str!("../../web/swagger.html");

fn api() -> OpenApiRouter<Dependencies> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(health::health_v1))
        .routes(routes!(health::ready))
        .routes(routes!(health::ready_v1))
        .routes(routes!(health::live))
        .routes(routes!(health::ready_report))
        .routes(routes!(status::status))
}

/// Swagger UI and the specification, compressed and cached. Build them once: clones share the cache.
pub fn docs_routes() -> Router {
    Router::new()
        .route("/swagger/", get(async || Html(SWAGGER_PAGE)))
        .route("/swagger/index.html", get(async || Html(SWAGGER_PAGE)))
        .fallback_service(docs::routes(&openapi::platform(api().into_openapi())))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(StaticFiles::default(), static_files::serve))
}

/// All routes with their state.
pub fn routes(dependencies: Dependencies, docs: Router) -> Router {
    let (router, _) = api().split_for_parts();
    router.with_state(dependencies).merge(web::routes()).fallback_service(docs)
}

/// The specification of the whole platform as YAML, as served at `/swagger/doc.yaml`.
pub fn openapi_yaml() -> String {
    docs::to_yaml(&openapi::platform(api().into_openapi()))
}

//! Identical in every service (a test compares the copies).
//!
//! Swagger UI at `/swagger/` and the specification behind it at `/swagger/doc.yaml`.

use axum::{
    Router,
    http::{HeaderValue, header},
    routing::get,
};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The page and the file; nothing is fetched from elsewhere.
pub fn routes(openapi: &OpenApi) -> Router {
    let yaml: &'static str = to_yaml(openapi).leak();
    let content_type = HeaderValue::from_static("application/yaml; charset=utf-8");
    let page = Config::from("/swagger/doc.yaml").persist_authorization(true).display_request_duration(true);
    Router::new()
        .route("/swagger/doc.yaml", get(async move || ([(header::CONTENT_TYPE, content_type)], yaml)))
        .merge(SwaggerUi::new("/swagger").config(page))
}

/// A specification as YAML text.
pub fn to_yaml(openapi: &OpenApi) -> String {
    openapi.to_yaml().expect("a specification made of strings and numbers always serialises")
}

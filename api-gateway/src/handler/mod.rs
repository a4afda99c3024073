//! What the gateway answers itself: health, readiness, Swagger.

mod docs;
mod health;
mod openapi;

use axum::Router;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::database::redis::RedisLink;

fn api() -> OpenApiRouter<RedisLink> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(health::health_v1))
        .routes(routes!(health::ready))
        .routes(routes!(health::ready_v1))
}

/// All routes with their state.
pub fn routes(redis: RedisLink) -> Router {
    let (router, own) = api().split_for_parts();
    router.with_state(redis).merge(docs::routes(&openapi::of_platform(own))).fallback(crate::error::route_not_found)
}

/// The specification of the whole platform as YAML, as served at `/swagger/doc.yaml`.
pub fn openapi_yaml() -> String {
    docs::to_yaml(&openapi::of_platform(api().into_openapi()))
}

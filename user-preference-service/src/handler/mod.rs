//! HTTP: routes, what they take and what they answer. A handler extracts, calls one service method and maps.

mod docs;
mod error_mapping;
mod feed;
mod health;
mod interactions;
mod path;
mod preferences;
mod profiles;
mod readiness;
mod responses;
mod revisions;
mod users;

pub mod request_validation;

use std::{sync::Arc, time::Duration};

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    error::ErrorBody,
    middleware::{body_limit, time_limit},
};

/// The specification without its paths; those come from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "user-preference-service",
        description = "Users, what they prefer, and what they did with movies.",
        contact(name = "The maintainers")
    ),
    servers((url = "/", description = "This service")),
    // No token of its own: the gateway asks for one.
    security(()),
    components(schemas(ErrorBody), responses(
        responses::InvalidUserId,
        responses::InvalidFeedRequest,
        responses::UserNotFound,
        responses::InvalidRequest,
        responses::BodyTimeout,
        responses::BodyTooLarge,
        responses::UnsupportedEncoding,
        responses::UserExists,
        responses::Unavailable,
        responses::Timeout,
    )),
    tags(
        (name = "users", description = "Accounts"),
        (name = "preferences", description = "What a user prefers"),
        (name = "interactions", description = "What a user did with movies"),
        (name = "internal", description = "For the other services; not reachable through the gateway"),
        (name = "operations", description = "Health and readiness"),
    )
)]
struct ApiDoc;

fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(users::create_user))
        .routes(routes!(users::get_user))
        .routes(routes!(preferences::get_preferences, preferences::set_preferences))
        .routes(routes!(interactions::list_interactions, interactions::record_interaction))
        .routes(routes!(profiles::get_profile))
        .routes(routes!(revisions::find_revisions))
        .routes(routes!(feed::read_feed))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(health::ready_report))
}

/// All routes with their state; each is answered within `time_limit`.
pub fn routes(app: App, request_timeout: Duration) -> Router {
    let (router, openapi) = api().split_for_parts();
    let router = router.with_state(Arc::new(app)).layer(body_limit()).layer(time_limit(request_timeout));
    router.merge(docs::routes(&openapi))
}

/// The specification as YAML, as served at `/swagger/doc.yaml`.
pub fn openapi_yaml() -> String {
    docs::to_yaml(api().get_openapi())
}

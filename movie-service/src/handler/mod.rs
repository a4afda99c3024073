//! HTTP: routes, what they take and what they answer. A handler extracts, calls one service method and maps.

mod admin;
mod bulk;
mod catalogue;
pub mod conditional;
mod docs;
mod genres;
mod health;
mod jobs;
mod manage;
mod movies;
mod parameters;
mod readiness;
mod related;
mod request;
pub mod request_validation;
mod responses;
mod views;
pub mod write_schema;
pub mod write_values;

#[cfg(test)]
pub(crate) use self::parameters::list_query;

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
        title = "movie-service",
        description = "The catalogue of movies.",
        contact(name = "The maintainers")
    ),
    servers((url = "/", description = "This service")),
    // No token of its own: the gateway asks for one.
    security(()),
    components(schemas(ErrorBody), responses(
        responses::InvalidFilter,
        responses::InvalidMovieId,
        responses::InvalidTmdbId,
        responses::InvalidSimilarRequest,
        responses::InvalidRequest,
        responses::InvalidSyncRequest,
        responses::InvalidJobLimit,
        responses::InvalidJobId,
        responses::MovieNotFound,
        responses::NoMovieMatches,
        responses::JobNotFound,
        responses::BodyTimeout,
        responses::TmdbIdExists,
        responses::SyncRunning,
        responses::JobEnded,
        responses::MovieChanged,
        responses::BodyTooLarge,
        responses::BulkTooLarge,
        responses::UnsupportedEncoding,
        responses::TmdbUnavailable,
        responses::DatabaseUnavailable,
        responses::SyncUnavailable,
        responses::Timeout,
    )),
    tags(
        (name = "movies", description = "Finding and managing movies"),
        (name = "administration", description = "Bringing the catalogue up to date"),
        (name = "internal", description = "For the other services; not reachable through the gateway"),
        (name = "operations", description = "Health and readiness"),
    )
)]
struct ApiDoc;

/// The routes: those that are answered within `time_limit`, then those with limits of their own.
fn api(limit: Duration) -> OpenApiRouter<Arc<App>> {
    let limited = OpenApiRouter::new()
        .routes(routes!(movies::list, manage::create))
        .routes(routes!(movies::random))
        .routes(routes!(movies::detail, manage::replace, manage::patch, manage::delete))
        .routes(routes!(related::by_tmdb_id))
        .routes(routes!(related::similar))
        .routes(routes!(genres::list))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show, jobs::cancel))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(health::ready_report))
        .layer(time_limit(limit));
    let small_bodies = OpenApiRouter::with_openapi(ApiDoc::openapi())
        .merge(limited)
        .routes(routes!(admin::sync))
        .routes(routes!(jobs::events))
        .routes(routes!(catalogue::copy))
        .layer(body_limit());
    small_bodies.routes(routes!(bulk::bulk))
}

/// All routes with their state.
pub fn routes(app: App, request_timeout: Duration) -> Router {
    let (router, openapi) = api(request_timeout).split_for_parts();
    router.with_state(Arc::new(app)).merge(docs::routes(&openapi))
}

/// The specification as YAML, as served at `/swagger/doc.yaml`.
pub fn openapi_yaml() -> String {
    docs::to_yaml(api(Duration::MAX).get_openapi())
}

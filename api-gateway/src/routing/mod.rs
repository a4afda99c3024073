//! Which service a request goes to. Rate limit, authentication and forwarding all decide on the same canonical path,
//! so that no path can mean one thing to one of them and another to the next.

pub mod path;

use crate::proxy::Upstream;

/// The destination of a canonical path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The web page and its files: no token, never limited.
    Web,
    /// Liveness and readiness: no token, never limited.
    Health,
    /// Swagger UI and the specification: no token, never limited.
    Docs,
    /// The status of all services, answered by the gateway: with a token, and limited.
    Status,
    /// A service behind the gateway.
    Service(Upstream),
    /// None.
    Unknown,
}

impl Route {
    /// The name of the route in spans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Health => "health",
            Self::Docs => "docs",
            Self::Status => "status",
            Self::Service(upstream) => upstream.name(),
            Self::Unknown => "unknown",
        }
    }
}

/// Which requests are refused first when a service has too much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Bulk and administration: they can wait.
    Low,
    /// What people wait for.
    Normal,
}

/// The priority of a request to a service by its canonical path.
pub fn priority(path: &str) -> Priority {
    let path = path.strip_prefix("/api/v1/").unwrap_or(path);
    let is_low =
        path.starts_with("admin/") || path.starts_with("models") || path.trim_end_matches('/') == "movies/bulk";
    if is_low { Priority::Low } else { Priority::Normal }
}

/// The route of a canonical path. One trailing slash makes no difference.
pub fn route(path: &str) -> Route {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = path.split('/').skip(1);
    match (segments.next(), segments.next(), segments.next()) {
        (None, ..) => Route::Web,
        (Some("app"), Some(_), Some(_)) => Route::Web,
        (Some("health" | "ready"), None, None) | (Some("health"), Some("live" | "ready"), None) => Route::Health,
        (Some("swagger"), _, _) => Route::Docs,
        (Some("api"), Some("v1"), Some(resource)) => api_route(resource, segments),
        _ => Route::Unknown,
    }
}

/// The route below `/api/v1`; `rest` are the segments after `resource`.
fn api_route<'a>(resource: &str, mut rest: impl Iterator<Item = &'a str>) -> Route {
    match (resource, rest.next(), rest.next(), rest.next()) {
        ("health" | "ready", None, ..) => Route::Health,
        ("status", None, ..) => Route::Status,
        ("movies", Some(_), Some("also-liked"), None)
        | ("recommendations", None, ..)
        | ("experiments", None, ..)
        | ("rules", ..)
        | ("models", ..)
        | ("recommendations", Some("group" | "report"), None, _)
        | ("recommendations", Some(_), Some("events"), None)
        | ("users", Some(_), Some("recommendations"), None | Some("history")) => {
            Route::Service(Upstream::Recommendation)
        }
        ("movies", ..) | ("genres", None, ..) | ("admin", Some(_), ..) => Route::Service(Upstream::Movie),
        ("users", ..) => Route::Service(Upstream::UserPreference),
        _ => Route::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_contract_has_its_service() {
        for (path, expected) in [
            ("/", Route::Web),
            ("/app/0123456789abcdef/main.js", Route::Web),
            ("/app/0123456789abcdef/vendor/htm-preact.js", Route::Web),
            ("/health", Route::Health),
            ("/health/", Route::Health),
            ("/ready", Route::Health),
            ("/health/live", Route::Health),
            ("/health/ready/", Route::Health),
            ("/api/v1/health", Route::Health),
            ("/api/v1/ready", Route::Health),
            ("/api/v1/status", Route::Status),
            ("/swagger", Route::Docs),
            ("/swagger/", Route::Docs),
            ("/swagger/doc.yaml", Route::Docs),
            ("/api/v1/movies", Route::Service(Upstream::Movie)),
            ("/api/v1/movies/", Route::Service(Upstream::Movie)),
            ("/api/v1/movies/1", Route::Service(Upstream::Movie)),
            ("/api/v1/movies/random", Route::Service(Upstream::Movie)),
            ("/api/v1/movies/bulk", Route::Service(Upstream::Movie)),
            ("/api/v1/movies/1/similar", Route::Service(Upstream::Movie)),
            ("/api/v1/movies/tmdb/603", Route::Service(Upstream::Movie)),
            ("/api/v1/genres", Route::Service(Upstream::Movie)),
            ("/api/v1/genres/", Route::Service(Upstream::Movie)),
            ("/api/v1/admin/sync", Route::Service(Upstream::Movie)),
            ("/api/v1/admin/sync/jobs", Route::Service(Upstream::Movie)),
            ("/api/v1/admin/sync/jobs/7", Route::Service(Upstream::Movie)),
            ("/api/v1/admin/sync/jobs/7/events", Route::Service(Upstream::Movie)),
            ("/api/v1/users", Route::Service(Upstream::UserPreference)),
            ("/api/v1/users/1", Route::Service(Upstream::UserPreference)),
            ("/api/v1/users/1/preferences", Route::Service(Upstream::UserPreference)),
            ("/api/v1/users/1/interactions", Route::Service(Upstream::UserPreference)),
            ("/api/v1/users/1/recommendations", Route::Service(Upstream::Recommendation)),
            ("/api/v1/users/x/recommendations/", Route::Service(Upstream::Recommendation)),
            ("/api/v1/users/1/recommendations/history", Route::Service(Upstream::Recommendation)),
            ("/api/v1/users/1/recommendations/history/diff", Route::Service(Upstream::Recommendation)),
            ("/api/v1/users/1/recommendations/2", Route::Service(Upstream::UserPreference)),
            ("/api/v1/rules", Route::Service(Upstream::Recommendation)),
            ("/api/v1/recommendations", Route::Service(Upstream::Recommendation)),
            ("/api/v1/recommendations/", Route::Service(Upstream::Recommendation)),
            ("/api/v1/recommendations/group", Route::Service(Upstream::Recommendation)),
            ("/api/v1/models", Route::Service(Upstream::Recommendation)),
            ("/api/v1/models/train", Route::Service(Upstream::Recommendation)),
            ("/api/v1/models/train/1", Route::Service(Upstream::Recommendation)),
            ("/api/v1/recommendations/report", Route::Service(Upstream::Recommendation)),
            ("/api/v1/recommendations/5f2c/events", Route::Service(Upstream::Recommendation)),
            ("/api/v1/movies/1/also-liked", Route::Service(Upstream::Recommendation)),
            ("/api/v1/movies/1/also-liked/2", Route::Service(Upstream::Movie)),
            ("/api/v1/experiments", Route::Service(Upstream::Recommendation)),
            ("/api/v1/rules/1", Route::Service(Upstream::Recommendation)),
            ("/api/v1/rules/1/history", Route::Service(Upstream::Recommendation)),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }

    #[test]
    fn bulk_and_administration_have_low_priority() {
        for path in ["/api/v1/admin/sync", "/api/v1/movies/bulk", "/api/v1/movies/bulk/", "/api/v1/models/train"] {
            assert_eq!(priority(path), Priority::Low, "{path}");
        }
        for path in ["/api/v1/movies", "/api/v1/movies/1", "/api/v1/users/1/recommendations", "/api/v1/rules"] {
            assert_eq!(priority(path), Priority::Normal, "{path}");
        }
    }

    #[test]
    fn a_path_that_only_resembles_a_route_is_unknown() {
        for path in [
            "/healthz",
            "/HEALTH",
            "/health/x",
            "/health/live/x",
            "/ready/live",
            "/swaggerx",
            "/app",
            "/app/main.js",
            "/appx/0123456789abcdef/main.js",
            "/api",
            "/api/v1",
            "/api/v1/health/x",
            "/api/v1/status/x",
            "/status",
            "/api/v1/admin",
            "/api/v1/moviesx",
            "/api/v1/genres/1",
            "/API/V1/Movies",
            "/api/v1/recommendations/1",
            "/api/v1/recommendations/group/1",
            "/api/v1/recommendations/5f2c/events/1",
            "/api/v1/rulesx",
            "/api/v1/experiments/1",
            "/api/v2/movies",
            "/internal/v1/catalogue",
        ] {
            assert_eq!(route(path), Route::Unknown, "{path}");
        }
    }
}

//! Administration: bringing the catalogue up to date.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};

use crate::{
    App,
    error::{ApiError, ErrorBody},
    models::{query::sync_pages, sync::SyncReport},
    service::{sync::SyncError, tmdb::TmdbError},
};

use super::schema::SyncParameters;

/// Synchronise the catalogue
///
/// Fetches genres and pages of movies from TMDB, or loads the built-in sample when no TMDB key is configured, and
/// answers when they are stored. A page that failed is named in `failed_pages`; the others are stored whole. Runtimes
/// follow in the background.
#[utoipa::path(
    post,
    path = "/api/v1/admin/sync",
    tag = "administration",
    params(SyncParameters),
    responses(
        (status = 200, description = "What was stored, and which pages are missing", body = SyncReport),
        (status = 409, description = "A sync is already running", body = ErrorBody),
        (status = 502, description = "TMDB delivered nothing; nothing was changed", body = ErrorBody),
        (status = 503, description = "The database does not answer, or the service is stopping", body = ErrorBody),
    )
)]
pub async fn sync(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<SyncReport>, ApiError> {
    let pages = sync_pages(query.as_deref().unwrap_or_default());
    Ok(Json(app.sync.run(pages).await?))
}

impl From<SyncError> for ApiError {
    fn from(error: SyncError) -> Self {
        let text = error.to_string();
        match error {
            SyncError::AlreadyRunning => Self::conflict("sync_running", text),
            SyncError::Tmdb(TmdbError::Unauthorized) => Self::new(StatusCode::BAD_GATEWAY, "tmdb_key_refused", text),
            SyncError::Tmdb(_) | SyncError::TookTooLong => {
                Self::new(StatusCode::BAD_GATEWAY, "tmdb_unavailable", format!("sync failed: {text}"))
            }
            SyncError::Stopping | SyncError::Database | SyncError::Refused => Self::unavailable(text),
        }
    }
}

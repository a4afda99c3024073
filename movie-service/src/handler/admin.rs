//! Administration: bringing the catalogue up to date.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::{
        job::Job,
        sync::{SyncReport, SyncRequest},
    },
    service::{
        error::ListError,
        sync::{SyncError, SyncFailure},
        tmdb::TmdbError,
    },
};

use super::{
    jobs::answer,
    responses::{InvalidSyncRequest, SyncRunning, SyncUnavailable, TmdbUnavailable},
    schema::SyncParameters,
};

/// Synchronise the catalogue
///
/// Fetches genres and pages of movies from TMDB, or loads the built-in sample when no TMDB key is configured. A page that
/// failed is named; the others are stored whole. Runtimes follow in the background. Without `mode`, the answer comes when
/// everything is stored. With `mode=async` a job is started, which may take hours, survives restarts, and can be followed
/// and cancelled. TMDB serves at most 500 pages of one list: ask for `years` to bring in more than 10,000 movies.
#[utoipa::path(
    post,
    path = "/api/v1/admin/sync",
    operation_id = "syncCatalogue",
    tag = "administration",
    params(SyncParameters),
    responses(
        (status = 200, description = "What was stored, and which pages are missing", body = SyncReport),
        (status = 202, description = "The job that was started (`mode=async`)", body = Job,
            headers(("Location" = String, description = "Where the job is"))),
        (status = 400, response = InvalidSyncRequest),
        (status = 409, response = SyncRunning),
        (status = 502, response = TmdbUnavailable),
        (status = 503, response = SyncUnavailable),
    )
)]
pub async fn sync(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let request = SyncRequest::parse(query.as_deref().unwrap_or_default())?;
    if !request.is_async {
        return Ok(Json(app.sync.run(request).await?).into_response());
    }
    let job = app.sync.start(request).await?;
    let location = [(header::LOCATION, format!("/api/v1/admin/sync/jobs/{}", job.id))];
    Ok((location, answer(StatusCode::ACCEPTED, &job)).into_response())
}

impl From<SyncFailure> for ApiError {
    fn from(error: SyncFailure) -> Self {
        match error {
            SyncFailure::UnknownGenre(unknown) => ListError::UnknownGenre(unknown).into(),
            SyncFailure::Sync(error) => error.into(),
        }
    }
}

impl From<SyncError> for ApiError {
    fn from(error: SyncError) -> Self {
        let text = error.to_string();
        match error {
            SyncError::AlreadyRunning => Self::conflict(ErrorCode::SyncRunning, text),
            SyncError::Cancelled => Self::conflict(ErrorCode::SyncCancelled, text),
            SyncError::Tmdb(TmdbError::Unauthorized) => {
                Self::new(StatusCode::BAD_GATEWAY, ErrorCode::TmdbKeyRefused, text)
            }
            SyncError::Tmdb(_) | SyncError::TookTooLong => {
                Self::new(StatusCode::BAD_GATEWAY, ErrorCode::TmdbUnavailable, format!("sync failed: {text}"))
            }
            SyncError::Stopping | SyncError::Database | SyncError::Refused => Self::unavailable(text),
        }
    }
}

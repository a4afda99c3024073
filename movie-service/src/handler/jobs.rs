//! Syncs that run in the background.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    parameters::values,
    request_validation::query::{QueryParameters, ValidQuery},
};
use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    middleware::json_bytes,
    models::job::{Job, JobId, JobIdError, JobList},
    service::sync::{CancelError, jobs::JobEvent},
};

use super::responses::{DatabaseUnavailable, InvalidJobLimit, JobEnded, JobErrors, ServerErrors};

/// Proxies close connections on which nothing passes.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const DEFAULT_LIMIT: i32 = 20;

/// How much of the list of jobs is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct JobListParameters {
    /// Jobs at most
    #[serde(deserialize_with = "values::limit::<100, _>")]
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<i32>,
}

impl QueryParameters for JobListParameters {}

/// List jobs
///
/// The latest first.
#[utoipa::path(
    get,
    path = "/api/v1/admin/sync/jobs",
    operation_id = "listSyncJobs",
    tag = "administration",
    params(JobListParameters),
    responses(
        (status = 200, description = "The jobs", body = JobList),
        (status = 400, response = InvalidJobLimit),
        ServerErrors,
    )
)]
pub async fn list(
    State(app): State<Arc<App>>,
    ValidQuery(query): ValidQuery<JobListParameters>,
) -> Result<Response, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    Ok(answer(StatusCode::OK, &app.sync.jobs.list(limit.into()).await?))
}

/// A job
///
/// Its state, its progress and its errors.
#[utoipa::path(
    get,
    path = "/api/v1/admin/sync/jobs/{id}",
    operation_id = "getSyncJob",
    tag = "administration",
    params(("id" = i32, Path, description = "The job's id", minimum = 1, example = 1)),
    responses(
        (status = 200, description = "The job", body = Job),
        JobErrors,
        ServerErrors,
    )
)]
pub async fn show(State(app): State<Arc<App>>, id: Result<Path<String>, PathRejection>) -> Result<Response, ApiError> {
    let job = app.sync.jobs.find(job_id(id)?).await?;
    Ok(answer(StatusCode::OK, &job.ok_or(JobIdError::NoSuchJob)?))
}

/// Cancel a job
///
/// It stops before its next page, whichever replica works on it; pages that are stored stay.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/sync/jobs/{id}",
    operation_id = "cancelSyncJob",
    tag = "administration",
    params(("id" = i32, Path, description = "The job's id", minimum = 1)),
    responses(
        (status = 202, description = "It was asked to stop", body = Job),
        JobErrors,
        (status = 409, response = JobEnded),
        ServerErrors,
    )
)]
pub async fn cancel(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    Ok(answer(StatusCode::ACCEPTED, &app.sync.cancel(job_id(id)?).await?))
}

/// Follow a job
///
/// Server-sent events: `progress` at once and whenever the job has changed, at most five a second, then `end`, and the
/// stream closes. The data of each is the job as JSON. A comment comes every ten seconds when nothing else does. A stream
/// that closes without `end` was cut off, for example by a restart: it can be asked for again.
#[utoipa::path(
    get,
    path = "/api/v1/admin/sync/jobs/{id}/events",
    operation_id = "followSyncJob",
    tag = "administration",
    params(("id" = i32, Path, description = "The job's id", minimum = 1, example = 1)),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = String),
        JobErrors,
        (status = 503, response = DatabaseUnavailable),
    )
)]
pub async fn events(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let job = app.sync.jobs.find(job_id(id)?).await?.ok_or(JobIdError::NoSuchJob)?;
    let events = app.sync.jobs.follow(job).map(|event| Ok::<_, Infallible>(as_sse(&event)));
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(not_stored(stream.into_response()))
}

fn as_sse(event: &JobEvent) -> Event {
    let (name, job) = match event {
        JobEvent::Progress(job) => ("progress", job),
        JobEvent::End(job) => ("end", job),
    };
    Event::default().event(name).data(json(job))
}

/// A job's JSON, which nobody is to keep.
pub(super) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    not_stored(json_bytes(status, json(body).into()))
}

fn not_stored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("texts and finite numbers always serialise")
}

fn job_id(id: Result<Path<String>, PathRejection>) -> Result<JobId, JobIdError> {
    // An id that does not even decode is not a number either.
    let Path(id) = id.map_err(|_| JobIdError::NotANumber)?;
    JobId::parse(&id)
}

impl From<JobIdError> for ApiError {
    fn from(error: JobIdError) -> Self {
        match error {
            JobIdError::NotANumber => Self::bad_request(ErrorCode::InvalidJobId, "invalid job ID").field("id"),
            JobIdError::NoSuchJob => Self::not_found(ErrorCode::JobNotFound, "job not found"),
        }
    }
}

impl From<CancelError> for ApiError {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NotFound => JobIdError::NoSuchJob.into(),
            CancelError::Ended => Self::conflict(ErrorCode::JobEnded, "the job has ended"),
            CancelError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

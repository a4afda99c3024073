//! The collaborative models and their training.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    responses::{DatabaseErrors, TrainingErrors},
    rfc3339,
};
use crate::{
    App,
    error::ApiError,
    models::training_job::TrainingJob,
    service::{ServiceError, stored_models::ModelStatus},
};

/// The models and the newest training.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelList {
    /// Newest first.
    models: Vec<ModelView>,
    /// The newest training, if there was one.
    job: Option<TrainingJobView>,
}

/// A trained model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model)]
pub struct ModelView {
    /// Its version.
    #[schema(example = "9f86d081884c")]
    version: String,
    /// Whether lists are made with it now.
    in_use: bool,
    /// Why it is not used, when it is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// Its size in bytes.
    #[schema(example = 9_500_000)]
    bytes: i64,
    /// How it was trained, on what, how long it took in milliseconds, and how good it is on likes that were held out.
    #[schema(value_type = Object)]
    info: serde_json::Value,
}

/// A training.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrainingJob)]
pub struct TrainingJobView {
    /// Its id.
    #[schema(example = 1)]
    id: i64,
    /// `queued`, `running`, `succeeded` or `failed`.
    #[schema(example = "running")]
    status: String,
    /// How much is done, 0 to 100.
    #[schema(example = 40, minimum = 0, maximum = 100)]
    percent: i32,
    /// When it was asked for.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    requested_at: String,
    /// When it began.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When it ended.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// The version of the model that came of it.
    version: Option<String>,
    /// Why none did; the model before it stays in use.
    error: Option<String>,
}

/// The answer to a request for a training.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrainingAccepted {
    /// The training.
    job: TrainingJobView,
}

impl From<ModelStatus> for ModelView {
    fn from(ModelStatus { model, in_use, refused }: ModelStatus) -> Self {
        let info = serde_json::from_str(&model.info).unwrap_or(serde_json::Value::Null);
        Self { version: model.version, in_use, refused, bytes: model.bytes, info }
    }
}

impl From<TrainingJob> for TrainingJobView {
    fn from(job: TrainingJob) -> Self {
        let TrainingJob { id, status, percent, requested_at, started_at, finished_at, version, error } = job;
        Self {
            id,
            status,
            percent,
            requested_at: rfc3339(requested_at),
            started_at: started_at.map(rfc3339),
            finished_at: finished_at.map(rfc3339),
            version,
            error,
        }
    }
}

/// List the collaborative models
///
/// Those that are stored, newest first, with their data, settings, training time and quality; and the newest training.
#[utoipa::path(
    get,
    path = "/api/v1/models",
    operation_id = "listModels",
    tag = "recommendations",
    responses((status = 200, description = "The models", body = ModelList), DatabaseErrors)
)]
pub async fn list_models(State(app): State<Arc<App>>) -> Result<Json<ModelList>, ApiError> {
    let models = app.stored_models.list().await?.into_iter().map(ModelView::from).collect();
    let job = app.trainer.newest_job().await?.map(TrainingJobView::from);
    Ok(Json(ModelList { models, job }))
}

/// Train the collaborative model
///
/// In the background, by one replica. While a training waits or runs, that one is answered.
#[utoipa::path(
    post,
    path = "/api/v1/models/train",
    operation_id = "trainModel",
    tag = "recommendations",
    responses(
        (status = 202, description = "It will begin, or runs already", body = TrainingAccepted,
         headers(("Location", description = "Where to ask how far it is"))),
        DatabaseErrors
    )
)]
pub async fn train_model(State(app): State<Arc<App>>) -> Result<impl IntoResponse, ApiError> {
    let job = app.trainer.request().await?;
    let location = format!("/api/v1/models/train/{}", job.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(TrainingAccepted { job: job.into() })))
}

/// A training of the collaborative model
///
/// How far it is, and what came of it. The newest 100 are kept.
#[utoipa::path(
    get,
    path = "/api/v1/models/train/{id}",
    operation_id = "getTraining",
    tag = "recommendations",
    params(("id" = i64, Path, description = "The training's id", minimum = 1, example = 1)),
    responses((status = 200, description = "The training", body = TrainingAccepted), TrainingErrors, DatabaseErrors)
)]
pub async fn get_training(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<TrainingAccepted>, ApiError> {
    // What no number can be, no training has.
    let id = id.parse().map_err(|_| ServiceError::NoSuchTraining)?;
    let job = app.trainer.job(id).await?.ok_or(ServiceError::NoSuchTraining)?;
    Ok(Json(TrainingAccepted { job: job.into() }))
}

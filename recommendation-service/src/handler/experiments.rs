//! Two sets of rules side by side.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{
    request_validation::{
        body::{parse_json, read_body},
        number,
    },
    responses::{BodyErrors, DatabaseErrors, ExperimentErrors},
    rfc3339,
};
use crate::{
    App,
    error::ApiError,
    models::experiment::{Experiment, InvalidExperiment, NewExperiment},
};

/// The experiment that runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct CurrentExperiment {
    /// Null when none runs.
    #[schema(required)]
    experiment: Option<ExperimentView>,
}

/// An experiment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Experiment)]
pub struct ExperimentView {
    /// Its name.
    #[schema(example = "more-affinity")]
    name: String,
    /// The variant for the users who are not in the share; `""` is the default one.
    #[schema(example = "")]
    control: String,
    /// The variant for the users in the share.
    #[schema(example = "b")]
    treatment: String,
    /// The share of users who get the treatment.
    #[schema(example = 0.5, minimum = 0, maximum = 1)]
    share: f64,
    /// When it was begun.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    started_at: String,
}

impl From<Experiment> for ExperimentView {
    fn from(experiment: Experiment) -> Self {
        let Experiment { name, control, treatment, share, started_at } = experiment;
        Self { name, control, treatment, share, started_at: rfc3339(started_at) }
    }
}

/// What is to run.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ExperimentChange {
    /// Null ends the experiment that runs.
    #[serde(default, deserialize_with = "given")]
    #[schema(required, value_type = Option<ExperimentBody>)]
    experiment: Option<Option<ExperimentBody>>,
}

/// An experiment that is to run.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewExperiment)]
pub struct ExperimentBody {
    /// Together with a user's id it decides the user's side.
    #[schema(required, value_type = String, example = "more-affinity", pattern = "^[a-z0-9_-]{1,50}$")]
    name: Option<String>,
    /// The variant for the users who are not in the share; by default the default one, `""`.
    #[schema(nullable, example = "", max_length = 50, pattern = "^[a-z0-9_-]*$")]
    control: Option<String>,
    /// The variant for the users in the share: another one. Both must have an active rule.
    #[schema(required, value_type = String, example = "b", max_length = 50, pattern = "^[a-z0-9_-]*$")]
    treatment: Option<String>,
    /// The share of users who get the treatment.
    #[serde(default, deserialize_with = "number::float")]
    #[schema(required, value_type = f64, example = 0.5, minimum = 0, maximum = 1)]
    share: Option<f64>,
}

/// A field that is there, be it null.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl TryFrom<ExperimentBody> for NewExperiment {
    type Error = InvalidExperiment;

    fn try_from(body: ExperimentBody) -> Result<Self, InvalidExperiment> {
        let ExperimentBody { name, control, treatment, share } = body;
        let control = control.unwrap_or_default();
        // What is left out is refused like a wrong value.
        let treatment = treatment.unwrap_or_else(|| control.clone());
        Self::new(&name.unwrap_or_default(), &control, &treatment, share.unwrap_or(f64::NAN))
    }
}

/// What a body says: an empty one, `null` and `{}` end the experiment too.
fn parse(body: &[u8]) -> Result<Option<NewExperiment>, ApiError> {
    let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(5).collect();
    if matches!(text.as_slice(), b"" | b"null" | b"{}") {
        return Ok(None);
    }
    let missing = InvalidExperiment { field: "experiment", expected: "an experiment, or null to end it" };
    let experiment = parse_json::<ExperimentChange>(body)?.experiment.ok_or(missing)?;
    Ok(experiment.map(NewExperiment::try_from).transpose()?)
}

/// Show the experiment
///
/// The one that runs, or null.
#[utoipa::path(
    get,
    path = "/api/v1/experiments",
    operation_id = "getExperiment",
    tag = "rules",
    responses((status = 200, description = "The experiment", body = CurrentExperiment), DatabaseErrors)
)]
pub async fn get_experiment(State(app): State<Arc<App>>) -> Result<Json<CurrentExperiment>, ApiError> {
    let experiment = app.rule_editor.experiment().await?.map(ExperimentView::from);
    Ok(Json(CurrentExperiment { experiment }))
}

/// Begin, change or end an experiment
///
/// Lists of the users in the share are made by the rules of `treatment`, those of other users by `control`; they say their
/// `variant`. Lists for visitors and groups are made by the default rules. The next recommendation follows, on every replica.
#[utoipa::path(
    put,
    path = "/api/v1/experiments",
    operation_id = "setExperiment",
    tag = "rules",
    request_body = ExperimentChange,
    responses((status = 200, description = "What runs now", body = CurrentExperiment), ExperimentErrors, BodyErrors, DatabaseErrors)
)]
pub async fn set_experiment(State(app): State<Arc<App>>, body: Body) -> Result<Json<CurrentExperiment>, ApiError> {
    let experiment = match parse(&read_body(body).await?)? {
        Some(experiment) => Some(app.rule_editor.begin_experiment(experiment).await?.into()),
        None => {
            app.rule_editor.end_experiment().await?;
            None
        }
    };
    Ok(Json(CurrentExperiment { experiment }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error_code::ErrorCode;

    #[test]
    fn null_and_nothing_end_an_experiment() {
        for body in ["", " ", "null", "{}", "{ }\n", r#"{"experiment":null}"#, r#"{"experiment":null,"more":1}"#] {
            assert_eq!(parse(body.as_bytes()), Ok(None), "{body}");
        }
    }

    #[test]
    fn a_body_that_means_something_else_is_400_naming_the_field() {
        let whole = r#"{"experiment":{"name":"x","treatment":"b","share":0.5}}"#;
        assert_eq!(parse(whole.as_bytes()), Ok(NewExperiment::new("x", "", "b", 0.5).ok()));
        for (body, field) in [
            (r#"{"name":"x","treatment":"b","share":0.5}"#, "experiment"),
            (r#"{"experiment":{"treatment":"b","share":0.5}}"#, "experiment.name"),
            (r#"{"experiment":{"name":"x","share":0.5}}"#, "experiment.treatment"),
            (r#"{"experiment":{"name":"x","treatment":"","share":0.5}}"#, "experiment.treatment"),
            (r#"{"experiment":{"name":"x","treatment":"b"}}"#, "experiment.share"),
            (r#"{"experiment":{"name":"x","treatment":"b","share":1e999}}"#, "experiment.share"),
        ] {
            let error = parse(body.as_bytes()).expect_err(body).into_body();
            assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidField, Some(field)), "{body}");
        }
        for body in ["[]", "nul", "{}{}", r#"{"experiment":"x"}"#, r#"{"experiment":{"share":"1"}}"#] {
            assert_eq!(
                parse(body.as_bytes()).expect_err(body).into_body().code,
                ErrorCode::InvalidRequestBody,
                "{body}"
            );
        }
    }
}

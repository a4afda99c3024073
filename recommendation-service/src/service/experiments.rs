//! Experiments: begun, changed and ended as rules are changed, in effect on every replica when it is answered.

use super::{ServiceError, rule_editor::RuleEditor};
use crate::{
    models::experiment::{Experiment, NewExperiment},
    repository::experiments::{self, Begun},
};

impl RuleEditor {
    /// The experiment that runs, as it is in PostgreSQL now.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn experiment(&self) -> Result<Option<Experiment>, ServiceError> {
        Ok(experiments::current(self.database()).await?)
    }

    /// Begins an experiment, or changes the one that runs.
    ///
    /// # Errors
    /// [`ServiceError`]: a variant has no active rule, or the database does not work.
    pub async fn begin_experiment(&self, experiment: NewExperiment) -> Result<Experiment, ServiceError> {
        let database = self.database().clone();
        let begin = async move {
            match experiments::begin(&database, &experiment).await? {
                Begun::Stored(experiment) => Ok(experiment),
                Begun::ControlHasNoRule => Err(ServiceError::VariantWithoutRules("experiment.control")),
                Begun::TreatmentHasNoRule => Err(ServiceError::VariantWithoutRules("experiment.treatment")),
            }
        };
        self.acknowledge(begin).await
    }

    /// Ends the experiment, if one runs.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn end_experiment(&self) -> Result<(), ServiceError> {
        let database = self.database().clone();
        self.acknowledge(async move { Ok(experiments::end(&database).await?) }).await
    }
}

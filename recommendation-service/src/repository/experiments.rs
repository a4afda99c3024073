//! The table `recommendation_experiment`: one row while an experiment runs.

use sqlx::{Connection, PgConnection};

use super::rule_edits;
use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        experiment::{Experiment, NewExperiment},
        rule::Rule,
    },
};

/// What came of beginning an experiment.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// It runs.
    Stored(Experiment),
    /// The control has no active rule; nothing was changed.
    ControlHasNoRule,
    /// The treatment has no active rule; nothing was changed.
    TreatmentHasNoRule,
}

/// The experiment that runs, if there is one.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn current(database: &Database) -> Result<Option<Experiment>, DatabaseError> {
    database.read("find the experiment", find).await
}

/// The experiment that runs, if there is one, and all rules of all variants, by variant, type and id. Rules of the
/// experiment were there before it, so they are read after it.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn current_with_rules(database: &Database) -> Result<(Option<Experiment>, Vec<Rule>), DatabaseError> {
    let work = async |connection: &mut PgConnection| {
        let experiment = find(connection).await?;
        let rules = sqlx::query_as!(
            Rule,
            r#"SELECT id, name, weight, rule_type, is_active, variant, created_at, updated_at
               FROM recommendation_rules
               ORDER BY variant COLLATE "C", rule_type COLLATE "C", id"#
        );
        Ok((experiment, rules.fetch_all(connection).await?))
    };
    database.read("read rules and experiment", work).await
}

/// Begins an experiment, or changes the one that runs. To be called in a task that nobody cuts off.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn begin(database: &Database, experiment: &NewExperiment) -> Result<Begun, DatabaseError> {
    let work = async |connection: &mut PgConnection| {
        let mut transaction = connection.begin().await?;
        rule_edits::lock(&mut transaction).await?;
        for (variant, refusal) in
            [(experiment.control(), Begun::ControlHasNoRule), (experiment.treatment(), Begun::TreatmentHasNoRule)]
        {
            if !has_active_rule(&mut transaction, variant).await? {
                return transaction.rollback().await.map(|()| refusal);
            }
        }
        let stored = upsert(&mut transaction, experiment).await?;
        transaction.commit().await.map(|()| Begun::Stored(stored))
    };
    database.write("begin an experiment", work).await
}

/// Ends the experiment, if one runs. To be called in a task that nobody cuts off.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn end(database: &Database) -> Result<(), DatabaseError> {
    let statement = sqlx::query!("DELETE FROM recommendation_experiment");
    let work = async |connection: &mut PgConnection| statement.execute(connection).await;
    database.write("end the experiment", work).await.map(|_| ())
}

async fn find(connection: &mut PgConnection) -> sqlx::Result<Option<Experiment>> {
    let statement = sqlx::query_as!(
        Experiment,
        "SELECT name, control, treatment, share, started_at FROM recommendation_experiment"
    );
    statement.fetch_optional(connection).await
}

async fn has_active_rule(connection: &mut PgConnection, variant: &str) -> sqlx::Result<bool> {
    let statement = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM recommendation_rules WHERE variant = $1 AND is_active) AS "exists!""#,
        variant
    );
    statement.fetch_one(connection).await
}

async fn upsert(connection: &mut PgConnection, experiment: &NewExperiment) -> sqlx::Result<Experiment> {
    let statement = sqlx::query_as!(
        Experiment,
        "INSERT INTO recommendation_experiment AS stored (name, control, treatment, share)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (singleton) DO UPDATE
         SET name = excluded.name,
             control = excluded.control,
             treatment = excluded.treatment,
             share = excluded.share,
             started_at = CASE WHEN stored.name = excluded.name THEN stored.started_at ELSE excluded.started_at END
         RETURNING name, control, treatment, share, started_at",
        experiment.name(),
        experiment.control(),
        experiment.treatment(),
        experiment.share()
    );
    statement.fetch_one(connection).await
}

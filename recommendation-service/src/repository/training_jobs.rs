//! The table `model_training_jobs`.

use crate::{
    database::postgres::{Database, DatabaseError},
    models::training_job::TrainingJob,
};

/// Jobs that are kept, the newest.
const KEPT: i64 = 100;

/// Asks for a training. The job that waits or runs, if there is one, otherwise a new one.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn request(database: &Database) -> Result<TrainingJob, DatabaseError> {
    let work = async |connection: &mut sqlx::PgConnection| {
        // The row of somebody who asked at the same moment is seen by the second statement only.
        sqlx::query!("INSERT INTO model_training_jobs DEFAULT VALUES ON CONFLICT DO NOTHING")
            .execute(&mut *connection)
            .await?;
        let newest = sqlx::query_as!(
            TrainingJob,
            "SELECT id, status, percent, requested_at, started_at, finished_at, version, error
             FROM model_training_jobs ORDER BY id DESC LIMIT 1"
        );
        newest.fetch_one(connection).await
    };
    database.write("request a training", work).await
}

/// A job.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn find(database: &Database, id: i64) -> Result<Option<TrainingJob>, DatabaseError> {
    let statement = sqlx::query_as!(
        TrainingJob,
        "SELECT id, status, percent, requested_at, started_at, finished_at, version, error
         FROM model_training_jobs WHERE id = $1",
        id
    );
    database.read("find a training job", async |connection| statement.fetch_optional(connection).await).await
}

/// The newest job.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn newest(database: &Database) -> Result<Option<TrainingJob>, DatabaseError> {
    let statement = sqlx::query_as!(
        TrainingJob,
        "SELECT id, status, percent, requested_at, started_at, finished_at, version, error
         FROM model_training_jobs ORDER BY id DESC LIMIT 1"
    );
    database.read("find the newest training job", async |connection| statement.fetch_optional(connection).await).await
}

/// Whether a training was asked for and has not begun.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn is_requested(database: &Database) -> Result<bool, DatabaseError> {
    let statement =
        sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM model_training_jobs WHERE status = 'queued') AS "exists!""#);
    database.read("look for training jobs", async |connection| statement.fetch_one(connection).await).await
}

/// Ends the jobs that a replica has left behind, whose lease is now the caller's.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn fail_interrupted(database: &Database) -> Result<u64, DatabaseError> {
    let statement = sqlx::query!(
        "UPDATE model_training_jobs
         SET status = 'failed', finished_at = now(), error = 'the replica that trained has ended'
         WHERE status = 'running'"
    );
    let done = database.write("end interrupted jobs", async |connection| statement.execute(connection).await).await?;
    Ok(done.rows_affected())
}

/// Begins the job that waits, or a new one; only the holder of the lease may. Old ones are removed.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn start(database: &Database) -> Result<Option<i64>, DatabaseError> {
    let work = async |connection: &mut sqlx::PgConnection| {
        sqlx::query!("INSERT INTO model_training_jobs DEFAULT VALUES ON CONFLICT DO NOTHING")
            .execute(&mut *connection)
            .await?;
        sqlx::query!(
            "DELETE FROM model_training_jobs
             WHERE id <= (SELECT id FROM model_training_jobs ORDER BY id DESC OFFSET $1 LIMIT 1)",
            KEPT
        )
        .execute(&mut *connection)
        .await?;
        let statement = sqlx::query_scalar!(
            "UPDATE model_training_jobs SET status = 'running', started_at = now() WHERE status = 'queued' RETURNING id"
        );
        statement.fetch_optional(connection).await
    };
    database.write("start a training job", work).await
}

/// Says how far a job is.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn progress(database: &Database, id: i64, percent: i32) -> Result<(), DatabaseError> {
    let statement = sqlx::query!(
        "UPDATE model_training_jobs SET percent = $2 WHERE id = $1 AND status = 'running' AND percent <> $2",
        id,
        percent
    );
    database.write("note a job's progress", async |connection| statement.execute(connection).await).await?;
    Ok(())
}

/// Ends a job: with the version of the model that came of it, or with the reason why none did.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn finish(database: &Database, id: i64, result: Result<&str, &str>) -> Result<(), DatabaseError> {
    let (status, percent) = if result.is_ok() { ("succeeded", Some(100)) } else { ("failed", None) };
    let statement = sqlx::query!(
        "UPDATE model_training_jobs
         SET status = $2, percent = COALESCE($3, percent), finished_at = now(), version = $4, error = $5
         WHERE id = $1 AND status = 'running'",
        id,
        status,
        percent,
        result.ok(),
        result.err()
    );
    database.write("end a training job", async |connection| statement.execute(connection).await).await?;
    Ok(())
}

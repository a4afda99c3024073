//! The tables `collaborative_models` and `collaborative_model_parts`.

use chrono::{DateTime, Utc};

use crate::{
    database::postgres::{Database, DatabaseError},
    models::training_job::StoredModel,
};

/// Bytes of a part: written or read by one statement.
const PART_BYTES: usize = 2 * 1024 * 1024;
/// Models that are kept, the newest: the one before the last is there when the last is damaged.
const KEPT: i64 = 3;

/// Stores a model, which counts when this has returned. What a training that was killed has left behind is removed.
///
/// To be called in a task that nobody cuts off.
///
/// # Errors
/// [`DatabaseError`] when the database does not work; the models before it stay.
pub async fn store(
    database: &Database,
    version: &str,
    info: &str,
    trained_at: DateTime<Utc>,
    content: &[u8],
) -> Result<(), DatabaseError> {
    let bytes = i64::try_from(content.len()).unwrap_or(i64::MAX);
    let insert = sqlx::query_scalar!(
        "INSERT INTO collaborative_models (version, info, bytes, trained_at) VALUES ($1, $2, $3, $4) RETURNING id",
        version,
        info,
        bytes,
        trained_at
    );
    let id = database.write("begin to store a model", async |connection| insert.fetch_one(connection).await).await?;
    for (part, content) in (0..).zip(content.chunks(PART_BYTES)) {
        let statement = sqlx::query!(
            "INSERT INTO collaborative_model_parts (model_id, part, content) VALUES ($1, $2, $3)",
            id,
            part,
            content
        );
        database.write("store a part of a model", async |connection| statement.execute(connection).await).await?;
    }
    let complete = sqlx::query!("UPDATE collaborative_models SET is_complete = TRUE WHERE id = $1", id);
    database.write("complete a model", async |connection| complete.execute(connection).await).await?;
    remove_old(database, id).await
}

/// Removes what came before `newest`, except the newest complete ones.
async fn remove_old(database: &Database, newest: i64) -> Result<(), DatabaseError> {
    let statement = sqlx::query!(
        "DELETE FROM collaborative_models
         WHERE id < $1
           AND id NOT IN (SELECT id FROM collaborative_models WHERE is_complete ORDER BY id DESC LIMIT $2)",
        newest,
        KEPT
    );
    database.write("remove old models", async |connection| statement.execute(connection).await).await?;
    Ok(())
}

/// The complete models, newest first.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn list(database: &Database) -> Result<Vec<StoredModel>, DatabaseError> {
    let statement = sqlx::query_as!(
        StoredModel,
        "SELECT id, version, info, bytes FROM collaborative_models WHERE is_complete ORDER BY id DESC"
    );
    database.read("list models", async |connection| statement.fetch_all(connection).await).await
}

/// The content of a model, part by part. What is missing shows in the checksum.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn content(database: &Database, id: i64) -> Result<Vec<u8>, DatabaseError> {
    let mut content = Vec::new();
    for part in 0.. {
        let statement = sqlx::query_scalar!(
            "SELECT content FROM collaborative_model_parts WHERE model_id = $1 AND part = $2",
            id,
            part
        );
        let found = database.read("read a part of a model", async |c| statement.fetch_optional(c).await).await?;
        let Some(bytes) = found else { break };
        content.extend_from_slice(&bytes);
    }
    Ok(content)
}

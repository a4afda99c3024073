//! Runtimes that are still to be fetched.

use sqlx::PgConnection;

use crate::database::postgres::{Database, DatabaseError};

/// A movie whose runtime is not known.
#[derive(Debug, Clone, Copy)]
pub struct MissingRuntime {
    /// The platform's own id.
    pub id: i32,
    /// Its id at TMDB.
    pub tmdb_id: i32,
}

/// What TMDB answered for a movie.
#[derive(Debug, Clone, Copy)]
pub struct FetchedRuntime {
    /// The movie.
    pub movie: MissingRuntime,
    /// Minutes, when TMDB knows them.
    pub minutes: Option<i32>,
}

/// A query of the movies whose runtime is to be fetched: what stands before and after the condition, and its values. A
/// runtime that was locked while it was unknown stays so. What TMDB had none for is asked about again after a week.
macro_rules! missing {
    ($query:ident!($($row:ident,)? $before:literal, $after:literal $(, $value:expr)*)) => {
        sqlx::$query!(
            $($row,)?
            $before
                + " FROM movies
                   WHERE runtime IS NULL AND tmdb_id > 0
                     AND (locked_fields = '{}' OR NOT 'duration' = ANY (locked_fields))
                     AND (runtime_checked_at IS NULL OR runtime_checked_at < now() - interval '7 days')"
                + $after
            $(, $value)*
        )
    };
}

/// The number of movies whose runtime is to be fetched.
///
/// # Errors
/// When the database does not answer.
pub async fn count_missing(database: &Database) -> Result<i64, DatabaseError> {
    let query = missing!(query_scalar!(r#"SELECT count(*) AS "movies!""#, ""));
    database.read("count missing runtimes", async |c: &mut PgConnection| query.fetch_one(c).await).await
}

/// The next movies by id whose runtime is to be fetched.
///
/// # Errors
/// When the database does not answer.
pub async fn list_missing(database: &Database, after: i32, limit: i64) -> Result<Vec<MissingRuntime>, DatabaseError> {
    let query = missing!(query_as!(
        MissingRuntime,
        r#"SELECT id, tmdb_id AS "tmdb_id!""#,
        " AND id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    ));
    database.read("list missing runtimes", async |c: &mut PgConnection| query.fetch_all(c).await).await
}

/// Stores answers with one statement. A movie that somebody edited meanwhile (another id at TMDB, a runtime, a lock) is
/// left alone, and one that TMDB has no runtime for has not changed.
///
/// # Errors
/// When the database does not answer; then none is stored, unless it fell silent just when it was to commit.
pub async fn store(database: &Database, answers: &[FetchedRuntime]) -> Result<(), DatabaseError> {
    // Not now(): the statement may have waited for another writer.
    let (ids, tmdb_ids): (Vec<i32>, Vec<i32>) = answers.iter().map(|a| (a.movie.id, a.movie.tmdb_id)).unzip();
    let minutes: Vec<Option<i32>> = answers.iter().map(|answer| answer.minutes).collect();
    let query = sqlx::query!(
        "UPDATE movies m
         SET runtime = answers.minutes, runtime_checked_at = clock_timestamp(),
             updated_at = CASE WHEN answers.minutes IS NULL THEN m.updated_at ELSE clock_timestamp() END
         FROM unnest($1::int[], $2::int[], $3::int[]) AS answers (id, tmdb_id, minutes)
         WHERE m.id = answers.id AND m.tmdb_id = answers.tmdb_id AND m.runtime IS NULL
           AND NOT 'duration' = ANY (m.locked_fields)",
        &ids,
        &tmdb_ids,
        minutes as _
    );
    database.write("store runtimes", async |c: &mut PgConnection| query.execute(c).await.map(drop)).await
}

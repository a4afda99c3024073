//! The whole catalogue at one moment, for the services that keep a copy of it.

use std::time::Duration;

use chrono::NaiveDate;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use serde::Serialize;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::{
    database::postgres::{Database, DatabaseError, within},
    models::movie::date_text,
};

/// A genre under the platform's own id.
#[derive(Debug, Serialize)]
pub struct SnapshotGenre {
    id: i32,
    name: String,
}

struct Row {
    id: i32,
    title: String,
    release_date: Option<NaiveDate>,
    popularity: Option<f64>,
    poster_path: Option<String>,
    vote_average: Option<f64>,
    vote_count: i32,
    original_language: String,
    runtime: i32,
    genre_ids: Vec<i32>,
}

/// What scoring needs of a movie.
#[derive(Debug, Serialize)]
pub struct SnapshotMovie {
    id: i32,
    title: String,
    release_date: String,
    popularity: Option<f64>,
    poster_path: String,
    vote_average: Option<f64>,
    vote_count: i32,
    original_language: String,
    runtime: i32,
    genre_ids: Vec<i32>,
}

impl From<Row> for SnapshotMovie {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            title: row.title,
            release_date: date_text(row.release_date),
            popularity: row.popularity,
            poster_path: row.poster_path.unwrap_or_default(),
            // An average over nobody says nothing.
            vote_average: row.vote_average.filter(|_| row.vote_count > 0),
            vote_count: row.vote_count,
            original_language: row.original_language,
            runtime: row.runtime,
            genre_ids: row.genre_ids,
        }
    }
}

/// Which fields the lines have. Another one makes another version, so that a copy made of the lines of an older release is
/// not taken for whole.
const FORM: &str = "2";

/// The version of the catalogue: `<epoch>-<number>.<form>`. It changes when, and only when, what [`Snapshot`] shows does.
///
/// # Errors
/// When the database does not answer.
pub async fn version(database: &Database) -> Result<String, DatabaseError> {
    database.read("read the version of the catalogue", current_version).await
}

async fn current_version(connection: &mut PgConnection) -> sqlx::Result<String> {
    let state = sqlx::query!(r#"SELECT epoch::text AS "epoch!", version FROM catalogue_state"#);
    let state = state.fetch_one(connection).await?;
    Ok(format!("{}-{}.{FORM}", state.epoch, state.version))
}

/// A read-only transaction that sees one moment, whatever is written meanwhile.
/// Must live in a task that nobody drops: see `Lifecycle::spawn`.
pub struct Snapshot {
    transaction: Transaction<'static, Postgres>,
    /// Longest wait for a row.
    row_timeout: Duration,
    /// The version at that moment.
    pub version: String,
    /// All genres, by id.
    pub genres: Vec<SnapshotGenre>,
}

impl Snapshot {
    /// Begins to read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(database: &Database) -> Result<Self, DatabaseError> {
        let begun = within(database.query_timeout(), Self::begin(database)).await;
        begun.map_err(DatabaseError::from_read).inspect_err(|error| error.log("begin a copy of the catalogue"))
    }

    async fn begin(database: &Database) -> sqlx::Result<Self> {
        let mut transaction = database.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        // A long stream is one long statement, at the pace of its reader; whoever reads it limits the time.
        sqlx::query(
            "SELECT set_config('statement_timeout', '0', true),
                    set_config('idle_in_transaction_session_timeout', '0', true)",
        )
        .execute(&mut *transaction)
        .await?;
        let version = current_version(&mut transaction).await?;
        let genres = sqlx::query_as!(SnapshotGenre, "SELECT id, name FROM genres ORDER BY id")
            .fetch_all(&mut *transaction)
            .await?;
        Ok(Self { transaction, row_timeout: database.query_timeout(), version, genres })
    }

    /// All movies by id, as they arrive from the database; an error when it falls silent.
    pub fn movies(&mut self) -> BoxStream<'_, sqlx::Result<SnapshotMovie>> {
        let row_timeout = self.row_timeout;
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT m.id, m.title, m.release_date, m.popularity, m.poster_path, m.vote_average,
                      COALESCE(m.vote_count, 0) AS "vote_count!",
                      COALESCE(m.original_language, '') AS "original_language!", COALESCE(m.runtime, 0) AS "runtime!",
                      ARRAY(SELECT mg.genre_id FROM movie_genres mg WHERE mg.movie_id = m.id ORDER BY mg.genre_id)
                          AS "genre_ids!"
               FROM movies m ORDER BY m.id"#
        )
        .fetch(&mut *self.transaction);
        stream::try_unfold(rows, move |mut rows| async move {
            let row = within(row_timeout, rows.try_next()).await?;
            Ok(row.map(|row| (SnapshotMovie::from(row), rows)))
        })
        .boxed()
    }
}

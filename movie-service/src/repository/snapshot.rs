//! The whole catalogue at one moment, for the services that keep a copy of it.

use std::time::Duration;

use chrono::NaiveDate;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use serde::Serialize;
use sqlx::{PgPool, Postgres, Transaction};

use crate::{database::postgres::within, models::movie::date_text};

use super::limits;

/// A genre under the platform's own id.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct SnapshotGenre {
    id: i32,
    name: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i32,
    title: String,
    release_date: Option<NaiveDate>,
    popularity: Option<f64>,
    poster_path: Option<String>,
    vote_average: Option<f64>,
    vote_count: i32,
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
            genre_ids: row.genre_ids,
        }
    }
}

const VERSION: &str = "SELECT epoch::text || '-' || version::text FROM catalogue_state";

/// The version of the catalogue: `<epoch>-<number>`. It changes when, and only when, what [`Snapshot`] shows does.
///
/// # Errors
/// When the database does not answer.
pub async fn version(pool: &PgPool) -> sqlx::Result<String> {
    limits::one_statement(pool, sqlx::query_scalar(VERSION).fetch_one(pool)).await
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
    pub async fn open(pool: &PgPool) -> sqlx::Result<Self> {
        limits::one_transaction(pool, Self::begin(pool)).await
    }

    async fn begin(pool: &PgPool) -> sqlx::Result<Self> {
        let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        // A long stream is one long statement, at the pace of its reader; whoever reads it limits the time.
        sqlx::query(
            "SELECT set_config('statement_timeout', '0', true),
                    set_config('idle_in_transaction_session_timeout', '0', true)",
        )
        .execute(&mut *transaction)
        .await?;
        let version = sqlx::query_scalar(VERSION).fetch_one(&mut *transaction).await?;
        let genres = sqlx::query_as("SELECT id, name FROM genres ORDER BY id").fetch_all(&mut *transaction).await?;
        Ok(Self { transaction, row_timeout: limits::statement(pool), version, genres })
    }

    /// All movies by id, as they arrive from the database; an error when it falls silent.
    pub fn movies(&mut self) -> BoxStream<'_, sqlx::Result<SnapshotMovie>> {
        let row_timeout = self.row_timeout;
        let rows = sqlx::query_as::<_, Row>(
            "SELECT m.id, m.title, m.release_date, m.popularity, m.poster_path, m.vote_average,
                    COALESCE(m.vote_count, 0) AS vote_count,
                    ARRAY(SELECT mg.genre_id FROM movie_genres mg WHERE mg.movie_id = m.id ORDER BY mg.genre_id)
                        AS genre_ids
             FROM movies m ORDER BY m.id",
        )
        .fetch(&mut *self.transaction);
        stream::try_unfold(rows, move |mut rows| async move {
            let row = within(row_timeout, rows.try_next()).await?;
            Ok(row.map(|row| (SnapshotMovie::from(row), rows)))
        })
        .boxed()
    }
}

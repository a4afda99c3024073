//! How statements are run: each within a time limit, and with what is known afterwards when it fails.

use std::time::Duration;

use sqlx::{
    FromRow, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use tokio::time::timeout;

use crate::database::postgres::is_transient_code;

/// How much later than the server a wait here is given up, for the way there and back.
const MARGIN: Duration = Duration::from_secs(1);

/// Why a statement gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A named constraint refused the row.
    #[error("refused by constraint {0}")]
    Constraint(String),
    /// It was not executed: the database was not reached, or said that it cannot work now.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// It was sent, and no answer came: whether it was executed is not known.
    #[error("the database did not answer")]
    NoAnswer(#[source] Option<sqlx::Error>),
    /// It failed for a reason that a person must look at.
    #[error("unexpected database error")]
    Unexpected(#[source] sqlx::Error),
}

/// A statement with its bound values.
pub(super) type Statement<'q, Row> = QueryAs<'q, Postgres, Row, PgArguments>;

/// The database. Clones share the pool.
///
/// Every use case is a single statement: without BEGIN, there is no transaction that a request could leave open.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    limit: Duration,
}

impl Store {
    /// `statement_timeout` is what the server has been told. The wait here ends later: a server that works gives up
    /// first, and says so, and only of one that has gone silent nothing is known.
    pub fn new(pool: PgPool, statement_timeout: Duration) -> Self {
        Self { pool, limit: statement_timeout + MARGIN }
    }

    /// How long after [`StoreError::NoAnswer`] the statement may still be executed: the server need not know that it
    /// was given up, but it keeps its own limit.
    pub fn may_go_on_for(&self) -> Duration {
        self.limit
    }

    /// Runs a statement that gives one row at most.
    pub(super) async fn optional<Row>(&self, statement: Statement<'_, Row>) -> Result<Option<Row>, StoreError>
    where
        Row: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut connection = self.connection().await?;
        let result = timeout(self.limit, statement.fetch_optional(&mut *connection)).await;
        finished(result.ok(), connection)
    }

    /// Runs a statement that always gives one row.
    pub(super) async fn one<Row>(&self, statement: Statement<'_, Row>) -> Result<Row, StoreError>
    where
        Row: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.optional(statement).await?.ok_or(StoreError::Unexpected(sqlx::Error::RowNotFound))
    }

    /// Runs a statement that gives any number of rows.
    pub(super) async fn all<Row>(&self, statement: Statement<'_, Row>) -> Result<Vec<Row>, StoreError>
    where
        Row: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut connection = self.connection().await?;
        let result = timeout(self.limit, statement.fetch_all(&mut *connection)).await;
        finished(result.ok(), connection)
    }

    /// Taken before anything is sent, so that a failure here is known to have done nothing.
    async fn connection(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        self.pool.acquire().await.map_err(StoreError::Unavailable)
    }
}

/// Judges a result; `None` is one that did not come in time.
fn finished<T>(
    result: Option<Result<T, sqlx::Error>>,
    mut connection: PoolConnection<Postgres>,
) -> Result<T, StoreError> {
    let error = match result {
        Some(Ok(value)) => return Ok(value),
        Some(Err(error)) => judged(error),
        None => StoreError::NoAnswer(None),
    };
    if matches!(error, StoreError::NoAnswer(_)) {
        // Its answer may still come, or never: nobody else may have to wait for it.
        connection.close_on_drop();
    }
    Err(error)
}

fn judged(error: sqlx::Error) -> StoreError {
    let sqlx::Error::Database(answer) = &error else {
        return match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                StoreError::NoAnswer(Some(error))
            }
            other => StoreError::Unexpected(other),
        };
    };
    if let Some(constraint) = answer.constraint() {
        return StoreError::Constraint(constraint.to_owned());
    }
    // Class 40 (deadlock) and 55 (a lock that was not to be had in time) pass as well; the rest is the server's state.
    let code = answer.code().unwrap_or_default();
    if is_transient_code(&code) || code.starts_with("40") || code.starts_with("55") {
        StoreError::Unavailable(error)
    } else {
        StoreError::Unexpected(error)
    }
}

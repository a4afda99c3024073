//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! The PostgreSQL pool, the time limits of statements, and what their errors mean.

use std::{path::PathBuf, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    ConnectOptions, Connection, PgConnection,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::Instrument;

use super::pool::ConnectionPool;
use crate::{config::env::Env, metrics::metrics, otlp::TRACE_SPAN};

/// How long a start waits for PostgreSQL to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for connections in use, when a pool is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause between two looks at whether they are closed.
const CLOSE_INTERVAL: Duration = Duration::from_millis(10);
/// How much later than the server the client gives a statement up, for the way there and back: a server that works
/// gives up first and says so, and only of one that is silent nothing is known.
const CLIENT_MARGIN: Duration = Duration::from_millis(500);

/// Where PostgreSQL is, and how long it may take.
///
/// A read or write waits for at most `DB_ACQUIRE_TIMEOUT_MS` + `DB_STATEMENT_TIMEOUT_MS` + 500 ms in all: 4.5 seconds
/// with the defaults.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// `DB_HOST`.
    pub host: String,
    /// `DB_PORT`.
    pub port: u16,
    /// `DB_USER`.
    pub user: String,
    /// `DB_PASSWORD`.
    pub password: SecretString,
    /// `DB_NAME`.
    pub database: String,
    /// `DB_SSLMODE`: as in libpq.
    pub ssl_mode: PgSslMode,
    /// `DB_SSLROOTCERT`: a file with the certificates to trust.
    pub ssl_root_cert: Option<PathBuf>,
    /// `DB_MAX_CONNECTIONS`.
    pub max_connections: u32,
    /// `DB_ACQUIRE_TIMEOUT_MS`: longest wait for a connection.
    pub acquire_timeout: Duration,
    /// `DB_STATEMENT_TIMEOUT_MS`: longest run of one statement.
    pub statement_timeout: Duration,
}

impl PostgresConfig {
    /// Reads the settings; `database` is the default of `DB_NAME`.
    pub fn from_env(env: &mut Env, database: &str) -> Self {
        Self {
            host: env.text("DB_HOST", "localhost"),
            port: env.number("DB_PORT", 5432, 1..=u16::MAX),
            user: env.text("DB_USER", "postgres"),
            password: env.secret("DB_PASSWORD").unwrap_or_else(|| SecretString::from("postgres")),
            database: env.text("DB_NAME", database),
            ssl_mode: env.parsed(
                "DB_SSLMODE",
                PgSslMode::Disable,
                "disable, allow, prefer, require, verify-ca or verify-full",
            ),
            ssl_root_cert: env.optional("DB_SSLROOTCERT").map(PathBuf::from),
            max_connections: env.number("DB_MAX_CONNECTIONS", 16, 1..=1000),
            acquire_timeout: env.millis("DB_ACQUIRE_TIMEOUT_MS", 1000),
            statement_timeout: env.millis("DB_STATEMENT_TIMEOUT_MS", 3000),
        }
    }

    /// How to connect, without the limits that only requests need.
    fn connect_options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .password(self.password.expose_secret())
            .database(&self.database)
            .ssl_mode(self.ssl_mode)
            .application_name(env!("CARGO_PKG_NAME"))
            // An acknowledged write is on disk, also where the server's default is `off`.
            .options([("synchronous_commit", "on"), ("timezone", "UTC")])
            .disable_statement_logging();
        match &self.ssl_root_cert {
            Some(file) => options.ssl_root_cert(file),
            None => options,
        }
    }
}

/// Why there is no usable database.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The database, with its address, could not be reached, or did not let us in.
    #[error("cannot connect to the database {0}")]
    Connect(String, #[source] sqlx::Error),
    /// Its schema could not be brought up to date.
    #[error("cannot migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Why a statement failed. It is logged where it is made, by [`Database::read`] and [`Database::write`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum DatabaseError {
    /// A named constraint refused the row.
    #[error("refused by constraint {0}")]
    Constraint(String),
    /// It was not executed: the database was not reached, or cannot work now.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// A write was sent and no answer came: it may have been executed.
    #[error("the database did not confirm a write")]
    Unconfirmed(#[source] Arc<sqlx::Error>),
    /// A person must look at it.
    #[error("unexpected database error")]
    Unexpected(#[source] Arc<sqlx::Error>),
}

impl DatabaseError {
    /// What a failed read means.
    pub fn from_read(error: sqlx::Error) -> Self {
        Self::classify(error, Self::Unavailable)
    }

    /// What a failed write means, once it was sent.
    pub fn from_write(error: sqlx::Error) -> Self {
        Self::classify(error, Self::Unconfirmed)
    }

    /// What an error means; `unanswered` when the connection broke, or was silent for too long.
    fn classify(error: sqlx::Error, unanswered: fn(Arc<sqlx::Error>) -> Self) -> Self {
        let kind = match &error {
            sqlx::Error::Database(reported) => match reported.constraint() {
                Some(constraint) => return Self::Constraint(constraint.to_owned()),
                None if is_transient(&**reported) => Self::Unavailable,
                None => Self::Unexpected,
            },
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::BeginFailed => Self::Unavailable,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                unanswered
            }
            _ => Self::Unexpected,
        };
        kind(Arc::new(error))
    }

    /// Whether the same statement may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unconfirmed(_))
    }

    /// As metrics name it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Constraint(_) => "constraint",
            Self::Unavailable(_) => "unavailable",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::Unexpected(_) => "unexpected",
        }
    }

    /// Logs the error once, with the operation that failed, in words such as "find a user".
    pub fn log(&self, operation: &'static str) {
        match self {
            Self::Constraint(_) => {}
            Self::Unavailable(error) => tracing::warn!(operation, %error, "the database is unavailable"),
            Self::Unconfirmed(error) => tracing::warn!(operation, %error, "the database did not confirm a write"),
            Self::Unexpected(error) => tracing::error!(operation, %error, "unexpected database error"),
        }
    }
}

/// The database: a pool, and the limits of what is run on it. Clones share the pool.
#[derive(Debug, Clone)]
pub struct Database {
    pool: ConnectionPool,
    acquire_timeout: Duration,
    statement_timeout: Duration,
}

impl Database {
    /// Waits for PostgreSQL, brings the schema up to date (replicas that start together take turns, by an advisory
    /// lock), and opens the pool.
    ///
    /// # Errors
    /// [`PostgresError`] when it cannot be reached within 30 seconds or a migration fails.
    pub async fn connect(config: &PostgresConfig, migrations: &Migrator) -> Result<Self, PostgresError> {
        let mut connection = connect_with_retry(config).await?;
        migrations.run(&mut connection).await?;
        let _ = connection.close().await;
        Ok(Self::new(config))
    }

    /// A pool that connects when it is first used.
    pub fn new(config: &PostgresConfig) -> Self {
        let PostgresConfig { acquire_timeout, statement_timeout, .. } = *config;
        Self { pool: pool(config), acquire_timeout, statement_timeout }
    }

    /// The pool, for work with limits of its own.
    pub fn pool(&self) -> &ConnectionPool {
        &self.pool
    }

    /// Longest wait for a connection.
    pub fn acquire_timeout(&self) -> Duration {
        self.acquire_timeout
    }

    /// Longest time that one [`Self::read`] or [`Self::write`] takes.
    pub fn query_timeout(&self) -> Duration {
        self.acquire_timeout + self.statement_timeout + CLIENT_MARGIN
    }

    /// Runs statements that change nothing. `operation` says for the log what they do, such as "find a user".
    ///
    /// # Errors
    /// [`DatabaseError`], never `Unconfirmed`.
    pub async fn read<T>(
        &self,
        operation: &'static str,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.measure(operation, DatabaseError::from_read, work).await
    }

    /// Runs statements that change something. It must not be dropped half-way: see `Lifecycle::run_to_completion`.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn write<T>(
        &self,
        operation: &'static str,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.measure(operation, DatabaseError::from_write, work).await
    }

    async fn measure<T>(
        &self,
        operation: &'static str,
        classify: fn(sqlx::Error) -> DatabaseError,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, DatabaseError> {
        let started = Instant::now();
        let span = tracing::trace_span!(
            target: TRACE_SPAN,
            "postgresql",
            "otel.name" = operation,
            "otel.kind" = "client",
            "db.system.name" = "postgresql",
        );
        let result = self.run(classify, work).instrument(span).await.inspect_err(|error| error.log(operation));
        let error = result.as_ref().err().map(DatabaseError::kind);
        metrics().record_operation("postgresql", Some(operation), error, started.elapsed());
        result
    }

    async fn run<T>(
        &self,
        classify: fn(sqlx::Error) -> DatabaseError,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, DatabaseError> {
        let deadline = Instant::now() + self.query_timeout();
        // Until there is a connection nothing was sent.
        let mut connection = self.pool.acquire().await.map_err(DatabaseError::from_read)?;
        let result = timeout_at(deadline, work(&mut connection)).await.unwrap_or_else(|_| Err(timed_out()));
        match &result {
            // Its answer may still come, or never.
            Err(error) if error.as_database_error().is_none() => connection.close(),
            _ => connection.release(),
        }
        result.map_err(classify)
    }

    /// Whether PostgreSQL answers now.
    pub async fn ping(&self) -> bool {
        let select =
            self.run(DatabaseError::from_read, async |connection| sqlx::raw_sql("SELECT 1").execute(connection).await);
        within(self.acquire_timeout, async { Ok(select.await.is_ok()) }).await.unwrap_or(false)
    }

    /// Closes the pool; connections still in use at the deadline, or after three seconds, are left to the operating
    /// system.
    pub async fn close(&self, deadline: Instant) {
        self.pool.close();
        let closed = async {
            while self.pool.size() > 0 {
                sleep(CLOSE_INTERVAL).await;
            }
        };
        if timeout_at(deadline.min(Instant::now() + CLOSE_TIMEOUT), closed).await.is_err() {
            tracing::warn!("PostgreSQL connections did not close in time");
        }
    }
}

fn pool(config: &PostgresConfig) -> ConnectionPool {
    let statement_timeout = config.statement_timeout.as_millis().to_string();
    let options = config.connect_options().options([
        ("statement_timeout", statement_timeout.as_str()),
        ("lock_timeout", statement_timeout.as_str()),
        ("idle_in_transaction_session_timeout", "10000"),
    ]);
    ConnectionPool::new(options, config.max_connections, config.acquire_timeout)
}

/// Waits for `work` at most for `limit`: a server that is gone without a word (a dead network, a stopped process) never
/// ends a statement by itself. A connection whose statement was given up is closed when it is released.
///
/// # Errors
/// Those of `work`, or `sqlx::Error::Io` of the kind `TimedOut`.
pub async fn within<T>(limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

async fn connect_with_retry(config: &PostgresConfig) -> Result<PgConnection, PostgresError> {
    let give_up = Instant::now() + CONNECT_TIMEOUT;
    loop {
        let error = match within(config.acquire_timeout, config.connect_options().connect()).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        // A server that answers "no such database" or "wrong password" will not change its mind.
        let is_final = error.as_database_error().is_some_and(|reported| !is_transient(reported));
        if is_final || Instant::now() >= give_up {
            let PostgresConfig { host, port, database, .. } = config;
            return Err(PostgresError::Connect(format!("{database} at {host}:{port}"), error));
        }
        tracing::warn!(%error, "waiting for PostgreSQL");
        sleep(Duration::from_millis(500)).await;
    }
}

/// Whether the cause is the state of the server and not the statement (appendix A of PostgreSQL's manual): classes 08,
/// 53, 57 and 58 (connection, resources, operator, system), 40 (deadlock, serialisation), 55 (a lock that was not free
/// in time), 25P03 (a session idle in a transaction) and 25006 (a server that has become read-only).
fn is_transient(reported: &dyn sqlx::error::DatabaseError) -> bool {
    let classes = ["08", "40", "53", "55", "57", "58", "25P03", "25006"];
    reported.code().is_some_and(|code| classes.iter().any(|class| code.starts_with(class)))
}

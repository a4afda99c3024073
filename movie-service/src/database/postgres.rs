//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! The PostgreSQL pool and its limits.

use std::{path::PathBuf, time::Duration};

use sqlx::{
    ConnectOptions, Connection, Executor, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::config::env::{Env, Secret};

/// How long a start waits for PostgreSQL to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Idle time after which a connection is tested before it is used again.
const IDLE_UNTIL_PING: Duration = Duration::from_secs(1);
/// Longest wait for the answer to that test.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// Longest wait for a pool to close its connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest wait for a connection to become usable again after a request; one that takes longer is thrown away.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where PostgreSQL is, and how long it may take.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// `DB_HOST`.
    pub host: String,
    /// `DB_PORT`.
    pub port: u16,
    /// `DB_USER`.
    pub user: String,
    /// `DB_PASSWORD`.
    pub password: Secret,
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
            password: env.secret("DB_PASSWORD").unwrap_or_else(|| Secret::new("postgres")),
            database: env.text("DB_NAME", database),
            ssl_mode: env.parsed(
                "DB_SSLMODE",
                PgSslMode::Disable,
                "disable, allow, prefer, require, verify-ca or verify-full",
            ),
            ssl_root_cert: env.optional("DB_SSLROOTCERT").map(PathBuf::from),
            max_connections: env.number("DB_MAX_CONNECTIONS", 16, 1..=1000),
            acquire_timeout: env.millis("DB_ACQUIRE_TIMEOUT_MS", 2000),
            statement_timeout: env.millis("DB_STATEMENT_TIMEOUT_MS", 5000),
        }
    }

    /// How to connect, without the limits that only requests need.
    fn connect_options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .password(self.password.expose())
            .database(&self.database)
            .ssl_mode(self.ssl_mode)
            .application_name(env!("CARGO_PKG_NAME"))
            // An acknowledged write is on disk; a server whose default is `off` must not change that. The notices
            // silenced are those of the ROLLBACK at each release.
            .options([("synchronous_commit", "on"), ("client_min_messages", "error"), ("timezone", "UTC")])
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
    /// It could not be reached, or did not let us in.
    #[error("cannot connect to the database {database} at {host}:{port}")]
    Connect {
        /// `DB_HOST`.
        host: String,
        /// `DB_PORT`.
        port: u16,
        /// `DB_NAME`.
        database: String,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// Its schema could not be brought up to date.
    #[error("cannot migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Waits for PostgreSQL, brings the schema up to date (replicas that start together take turns, by an advisory lock),
/// and opens the pool.
///
/// # Errors
/// [`PostgresError`] when it cannot be reached within 30 seconds or a migration fails.
pub async fn open(config: &PostgresConfig, migrations: &Migrator) -> Result<PgPool, PostgresError> {
    let mut connection = connect_with_retry(config).await?;
    migrations.run(&mut connection).await?;
    let _ = connection.close().await;
    Ok(pool(config))
}

/// A pool that connects when it is first used.
pub fn pool(config: &PostgresConfig) -> PgPool {
    let statement_timeout = config.statement_timeout.as_millis().to_string();
    let options = config.connect_options().options([
        ("statement_timeout", statement_timeout.as_str()),
        ("lock_timeout", statement_timeout.as_str()),
        ("idle_in_transaction_session_timeout", "10000"),
    ]);
    PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(config.acquire_timeout)
        // A connection that was used a moment ago needs no question whether it still works.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                // One that is silent is left behind in time for another one to be opened.
                Ok(meta.idle_for < IDLE_UNTIL_PING || within(PING_TIMEOUT, connection.ping()).await.is_ok())
            })
        })
        // A request that is cut off while BEGIN is under way leaves its session inside a transaction, and the next
        // borrower's write would never be committed (transact-rs/sqlx #4385): end whatever is open. Without a limit,
        // a server that has stopped answering would keep the connection's place in the pool for good.
        .after_release(|connection, _| {
            Box::pin(async move {
                within(RELEASE_TIMEOUT, connection.execute("ROLLBACK")).await?;
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// Closes the pool; connections still in use at the deadline, or after three seconds, are left to the operating system.
pub async fn close(pool: &PgPool, deadline: Instant) {
    let deadline = deadline.min(Instant::now() + CLOSE_TIMEOUT);
    if timeout_at(deadline, pool.close()).await.is_err() {
        tracing::warn!("PostgreSQL connections did not close in time");
    }
}

/// Whether PostgreSQL answers now.
pub async fn ping(pool: &PgPool) -> bool {
    let limit = pool.options().get_acquire_timeout();
    within(limit, sqlx::query("SELECT 1").execute(pool)).await.is_ok()
}

/// Waits for `work` at most for `limit`: a server that is gone without a word (a dead network, a stopped process) never
/// ends a statement by itself. A connection that is given up on this way is closed when it is released.
///
/// # Errors
/// Those of `work`, or `sqlx::Error::Io` of the kind `TimedOut`.
pub async fn within<T>(limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

async fn connect_with_retry(config: &PostgresConfig) -> Result<sqlx::PgConnection, PostgresError> {
    let give_up = Instant::now() + CONNECT_TIMEOUT;
    loop {
        let attempt = timeout(config.acquire_timeout, config.connect_options().connect()).await;
        let error = match attempt {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::PoolTimedOut,
        };
        // A server that answers "no such database" or "wrong password" will not change its mind.
        if error.as_database_error().is_some_and(|error| error.code().is_none_or(|code| !is_transient(&code)))
            || Instant::now() >= give_up
        {
            let (host, port, database) = (config.host.clone(), config.port, config.database.clone());
            return Err(PostgresError::Connect { host, port, database, source: error });
        }
        tracing::warn!(%error, "waiting for PostgreSQL");
        sleep(Duration::from_millis(500)).await;
    }
}

/// Whether the cause is the state of the server (starting, stopping, out of room) and not the statement: classes 08,
/// 53, 57 and 58 of PostgreSQL's error codes (appendix A of its manual).
pub fn is_transient(code: &str) -> bool {
    ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

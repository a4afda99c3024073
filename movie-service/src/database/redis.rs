//! Identical in every service (a test compares the copies).
//!
//! The connection to Redis, with a circuit breaker: a Redis that is down, hung or slow costs a few requests one time
//! limit each, and then nothing until a probe in the background finds it well again.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::{config::env::Env, lifecycle::Lifecycle};

/// Failures in a row after which Redis counts as down.
const FAILURES_TO_OPEN: u32 = 3;
/// Pause between two probes while Redis is down.
const PROBE_INTERVAL: Duration = Duration::from_millis(200);

/// Where Redis is.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// `REDIS_ADDR`: host and port.
    pub host: String,
    /// The port of `REDIS_ADDR`.
    pub port: u16,
    /// `REDIS_PASSWORD`, when there is one.
    pub password: Option<SecretString>,
    /// `REDIS_DB`: the index of this service's database.
    pub database: i64,
    /// `REDIS_TIMEOUT_MS`: longest wait for one answer.
    pub timeout: Duration,
}

impl RedisConfig {
    /// Reads the settings; `database` is this service's default index.
    pub fn from_env(env: &mut Env, database: i64) -> Self {
        let address = env.text("REDIS_ADDR", "localhost:6379");
        let (host, port) = address.rsplit_once(':').unwrap_or(("", ""));
        let port = port.parse().unwrap_or(0);
        if host.is_empty() || port == 0 {
            env.invalid("REDIS_ADDR", "host:port, such as localhost:6379");
        }
        Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            password: env.secret("REDIS_PASSWORD"),
            database: env.number("REDIS_DB", database, 0..=1_000_000),
            timeout: env.millis("REDIS_TIMEOUT_MS", 100),
        }
    }

    fn connection_info(&self) -> RedisResult<ConnectionInfo> {
        let mut redis = RedisConnectionInfo::default().set_db(self.database);
        if let Some(password) = &self.password {
            redis = redis.set_password(password.expose_secret());
        }
        Ok(ConnectionAddr::Tcp(self.host.clone(), self.port).into_connection_info()?.set_redis_settings(redis))
    }
}

/// Why Redis gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum RedisFailure {
    /// Down, hung, too slow, or known to be so.
    #[error("Redis is not available")]
    Unavailable,
    /// It answered with an error, such as a key of another type or no memory left.
    #[error("Redis refused: {0}")]
    Refused(#[source] RedisError),
}

/// A shared, pipelined connection that reconnects by itself. Clones are cheap.
#[derive(Clone)]
pub struct RedisLink(Arc<Inner>);

struct Inner {
    client: Client,
    settings: ConnectionManagerConfig,
    connection: RwLock<ConnectionManager>,
    timeout: Duration,
    failures: AtomicU32,
    down: AtomicBool,
    went_down: Notify,
}

impl RedisLink {
    /// Prepares the connection; nothing is sent before the first command, so Redis may be down.
    /// Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be used at all.
    pub fn new(config: &RedisConfig, lifecycle: &Lifecycle) -> RedisResult<Self> {
        let settings = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(10))
            .set_max_delay(PROBE_INTERVAL)
            .set_connection_timeout(Some(config.timeout))
            .set_response_timeout(Some(config.timeout));
        let client = Client::open(config.connection_info()?)?;
        let link = Self(Arc::new(Inner {
            connection: RwLock::new(ConnectionManager::new_lazy_with_config(client.clone(), settings.clone())?),
            client,
            settings,
            timeout: config.timeout,
            failures: AtomicU32::new(0),
            down: AtomicBool::new(false),
            went_down: Notify::new(),
        }));
        lifecycle.spawn(link.clone().probe_while_down(lifecycle.clone()));
        Ok(link)
    }

    /// Whether Redis is believed to answer.
    pub fn is_up(&self) -> bool {
        !self.0.down.load(Ordering::Relaxed)
    }

    /// Runs commands within the time limit; fails at once while Redis is known to be down.
    ///
    /// # Errors
    /// [`RedisFailure`]; only failures of the connection count against Redis.
    pub async fn run<T>(
        &self,
        commands: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, RedisFailure> {
        if !self.is_up() {
            return Err(RedisFailure::Unavailable);
        }
        let connection = self.0.connection.read().unwrap_or_else(PoisonError::into_inner).clone();
        let result = self.attempt(connection, commands).await;
        match &result {
            Ok(_) | Err(RedisFailure::Refused(_)) => self.0.failures.store(0, Ordering::Relaxed),
            Err(RedisFailure::Unavailable) => self.count_failure(),
        }
        result
    }

    /// Whether Redis answers now.
    pub async fn ping(&self) -> bool {
        self.run(async |redis| redis::cmd("PING").query_async::<()>(redis).await).await.is_ok()
    }

    async fn attempt<T>(
        &self,
        mut connection: ConnectionManager,
        commands: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, RedisFailure> {
        match timeout(self.0.timeout, commands(&mut connection)).await {
            Ok(Ok(value)) => Ok(value),
            // A connection that could not be set up (a server that is loading or full) gives the same kind of error
            // to every command, so that only one that answers otherwise has refused this command.
            Ok(Err(error)) if is_refusal(&error) && self.answers(&mut connection).await => {
                Err(RedisFailure::Refused(error))
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "Redis command failed");
                Err(RedisFailure::Unavailable)
            }
            Err(_) => {
                tracing::debug!("Redis did not answer in time");
                Err(RedisFailure::Unavailable)
            }
        }
    }

    async fn answers(&self, connection: &mut ConnectionManager) -> bool {
        let ping = redis::cmd("PING");
        matches!(timeout(self.0.timeout, ping.query_async::<()>(connection)).await, Ok(Ok(())))
    }

    /// Tries with a new connection: the old one may wait for a server that is gone for good, or have kept the error of
    /// its set-up, which a manager does not try again. Puts it in place when it works.
    async fn reconnect(&self) -> bool {
        let fresh = ConnectionManager::new_lazy_with_config(self.0.client.clone(), self.0.settings.clone());
        let Ok(mut fresh) = fresh else { return false };
        let works = self.answers(&mut fresh).await;
        if works {
            *self.0.connection.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        works
    }

    fn count_failure(&self) {
        let failures = self.0.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures >= FAILURES_TO_OPEN && !self.0.down.swap(true, Ordering::Relaxed) {
            tracing::warn!("Redis does not answer; going on without it until it is back");
            self.0.went_down.notify_one();
        }
    }

    async fn probe_while_down(self, lifecycle: Lifecycle) {
        let stop = lifecycle.stop_token();
        let probing = async {
            loop {
                self.0.went_down.notified().await;
                while !self.reconnect().await {
                    sleep(PROBE_INTERVAL).await;
                }
                self.0.failures.store(0, Ordering::Relaxed);
                self.0.down.store(false, Ordering::Relaxed);
                tracing::info!("Redis is back");
            }
        };
        tokio::select! {
            () = probing => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Whether the server answered, but with an error about this command. Loading or a refused login is no answer.
fn is_refusal(error: &RedisError) -> bool {
    use redis::{ErrorKind, ServerErrorKind};
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown) => false,
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType => true,
        _ => false,
    }
}

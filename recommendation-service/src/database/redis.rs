//! Identical in every service (a test compares the copies).
//!
//! The connection to Redis, with a circuit breaker: a Redis that is down, hung or slow costs a few requests one time
//! limit each, and then nothing until a probe in the background finds it well again.

use std::{
    io,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    RedisResult, cluster::ClusterClient, cluster_async::ClusterConnection,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::Notify,
    time::{error::Elapsed, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::{config::env::Env, lifecycle::Lifecycle, metrics::metrics, otlp};

use super::redis_connection::RedisConnection;

/// Failures in a row after which Redis counts as down.
const FAILURES_TO_OPEN: u32 = 3;
/// Time for a new connection with its handshake, which takes several round trips.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
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
    /// Reads the settings; `database` and `timeout_millis` are this service's defaults.
    pub fn from_env(env: &mut Env, database: i64, timeout_millis: u64) -> Self {
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
            timeout: env.millis("REDIS_TIMEOUT_MS", timeout_millis),
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

impl RedisFailure {
    /// As metrics name it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Refused(_) => "refused",
        }
    }
}

/// A shared, pipelined connection that is made anew in the background when it fails. Clones are cheap.
#[derive(Clone)]
pub struct RedisLink(Arc<Inner>);

struct Inner {
    client: Client,
    timeout: Duration,
    /// `None` while Redis is down.
    connection: RwLock<Option<Arc<RedisConnection>>>,
    failures: AtomicU32,
    went_down: Notify,
}

impl RedisLink {
    /// Connects. Redis may be down: then it is used as soon as it answers. Must be called within the Tokio runtime that
    /// the connection is to live in.
    ///
    /// # Errors
    /// When the address cannot be used at all.
    pub async fn connect(config: &RedisConfig, lifecycle: &Lifecycle) -> RedisResult<Self> {
        let link = Self(Arc::new(Inner {
            client: Client::open(config.connection_info()?)?,
            timeout: config.timeout,
            connection: RwLock::default(),
            failures: AtomicU32::new(0),
            went_down: Notify::new(),
        }));
        if link.reconnect().await.is_err() {
            link.0.went_down.notify_one();
        }
        // So that it is shown before it opens for the first time.
        metrics().open_breakers("redis");
        lifecycle.spawn(link.clone().reconnect_when_down(lifecycle.stop_token()));
        Ok(link)
    }

    /// Whether Redis is believed to answer.
    pub fn is_up(&self) -> bool {
        self.0.connection.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Runs commands within the time limit; fails at once while Redis is known to be down.
    ///
    /// # Errors
    /// [`RedisFailure`]; only failures of the connection count against Redis.
    pub async fn run<T>(
        &self,
        commands: impl AsyncFnOnce(&mut RedisConnection) -> RedisResult<T>,
    ) -> Result<T, RedisFailure> {
        let started = Instant::now();
        let result = self.try_run(commands).instrument(call_span()).await;
        let error = result.as_ref().err().map(RedisFailure::kind);
        metrics().record_operation("redis", None, error, started.elapsed());
        result
    }

    async fn try_run<T>(
        &self,
        commands: impl AsyncFnOnce(&mut RedisConnection) -> RedisResult<T>,
    ) -> Result<T, RedisFailure> {
        let connection = self.0.connection.read().unwrap_or_else(PoisonError::into_inner).clone();
        let connection = connection.ok_or(RedisFailure::Unavailable)?;
        let failure = match timeout(self.0.timeout, commands(&mut (*connection).clone())).await {
            Ok(Ok(value)) => {
                self.0.failures.store(0, Ordering::Relaxed);
                return Ok(value);
            }
            Ok(Err(error)) if is_refusal(&error) => {
                self.0.failures.store(0, Ordering::Relaxed);
                return Err(RedisFailure::Refused(error));
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        tracing::debug!(?failure, "Redis did not answer");
        // No other command on this connection can succeed either.
        let is_broken = failure.is_some_and(|error| error.is_unrecoverable_error());
        if is_broken || self.0.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES_TO_OPEN {
            self.give_up(&connection);
        }
        Err(RedisFailure::Unavailable)
    }

    /// Whether Redis answers now.
    pub async fn ping(&self) -> bool {
        self.run(async |redis| redis::cmd("PING").query_async::<()>(redis).await).await.is_ok()
    }

    fn give_up(&self, failed: &Arc<RedisConnection>) {
        let mut connection = self.0.connection.write().unwrap_or_else(PoisonError::into_inner);
        // Another command may have noticed it before, and the connection be a new one already.
        if connection.take_if(|current| Arc::ptr_eq(current, failed)).is_some() {
            self.0.went_down.notify_one();
        }
    }

    /// Puts a new connection in place when Redis answers on it within the time limit. A server that is loading or full,
    /// or refuses the login, may accept connections too.
    async fn reconnect(&self) -> RedisResult<()> {
        let settings = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connecting = self.0.client.get_multiplexed_async_connection_with_config(&settings);
        let mut server = timeout(CONNECT_TIMEOUT, connecting).await.map_err(timed_out)??;
        let asking = async {
            redis::cmd("PING").query_async::<()>(&mut server).await?;
            // A server that does not tell is none of a cluster.
            let about = redis::cmd("INFO").arg("cluster").query_async::<String>(&mut server).await;
            Ok::<_, RedisError>(about.is_ok_and(|about| about.contains("cluster_enabled:1")))
        };
        let connection = if timeout(self.0.timeout, asking).await.map_err(timed_out)?? {
            RedisConnection::Cluster(self.connect_to_cluster().await?)
        } else {
            RedisConnection::Server(server)
        };
        self.0.failures.store(0, Ordering::Relaxed);
        *self.0.connection.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(connection));
        Ok(())
    }

    /// Connects to all nodes of the cluster that the server belongs to.
    async fn connect_to_cluster(&self) -> RedisResult<ClusterConnection> {
        let client = ClusterClient::builder([self.0.client.get_connection_info().clone()]);
        let client = client.connection_timeout(CONNECT_TIMEOUT).response_timeout(self.0.timeout).build()?;
        timeout(CONNECT_TIMEOUT, client.get_async_connection()).await.map_err(timed_out)?
    }

    async fn reconnect_when_down(self, stop: CancellationToken) {
        let reconnecting = async {
            loop {
                self.0.went_down.notified().await;
                let breaker = metrics().open_breakers("redis");
                breaker.inc();
                // A Redis that has only restarted is back at once.
                let Err(error) = self.reconnect().await else {
                    breaker.dec();
                    continue;
                };
                tracing::warn!(%error, "Redis does not answer; going on without it until it is back");
                while self.reconnect().await.is_err() {
                    sleep(PROBE_INTERVAL).await;
                }
                breaker.dec();
                tracing::info!("Redis is back");
            }
        };
        stop.run_until_cancelled(reconnecting).await;
    }
}

/// The span of a call to Redis in the trace of a request; none outside of one.
pub fn call_span() -> Span {
    if !otlp::is_enabled() || Span::current().is_none() {
        return Span::none();
    }
    tracing::trace_span!(target: otlp::TRACE_SPAN, "redis", "otel.kind" = "client", "db.system.name" = "redis")
}

fn timed_out(_: Elapsed) -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
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

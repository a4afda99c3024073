//! user-preference-service: users, what they prefer, and what they did with movies.
//!
//! Layers, and the only way arrows point: `handler` -> `service` -> `repository` -> `database`.

pub mod config;
pub mod connection_slots;
pub mod database;
pub mod drain_body;
pub mod error;
pub mod error_code;
pub mod handler;
pub mod http2;
pub mod lifecycle;
pub mod metrics;
pub mod middleware;
pub mod models;
pub mod otlp;
pub mod refusal_bodies;
pub mod repository;
pub mod server;
pub mod service;
pub mod stall_timeout;
pub mod telemetry;

use crate::{
    config::Config,
    database::{
        postgres::{self, Database},
        redis::RedisLink,
    },
    lifecycle::Lifecycle,
    service::{
        feed::Feed, interactions::Interactions, preferences::Preferences, profiles::Profiles, revisions::Revisions,
        users::Users,
    },
};

/// The schema, applied at every start. A newer one is not refused: during an upgrade a replica of this release may start
/// after one of the next release.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate::Migrator { ignore_missing: true, ..sqlx::migrate!() };

/// What handlers work with.
#[derive(Clone)]
pub struct App {
    /// The service's database.
    pub database: Database,
    /// The service's cache.
    pub redis: RedisLink,
    /// Stop signal and background tasks.
    pub lifecycle: Lifecycle,
    /// Accounts.
    pub users: Users,
    /// What users prefer.
    pub preferences: Preferences,
    /// What users did with movies.
    pub interactions: Interactions,
    /// What recommendations need to know.
    pub profiles: Profiles,
    /// All interactions, for training.
    pub feed: Feed,
    /// What tells whether anything of a user has changed.
    pub revisions: Revisions,
}

impl App {
    /// Connects everything; the database must be there, Redis need not.
    ///
    /// # Errors
    /// When PostgreSQL cannot be used, or the address of Redis is malformed.
    pub async fn connect(config: &Config, lifecycle: Lifecycle) -> Result<Self, StartError> {
        let database = Database::connect(&config.postgres, &MIGRATIONS).await?;
        let adopted = repository::feed::adopt_restored(&database).await.map_err(StartError::Feed)?;
        if adopted > 0 {
            tracing::info!(
                interactions = adopted,
                "interactions that were restored from another server have a new place"
            );
        }
        let redis = RedisLink::connect(&config.redis, &lifecycle).await.map_err(StartError::Redis)?;
        Ok(Self::new(database, redis, &lifecycle))
    }

    /// Puts the parts together.
    pub fn new(database: Database, redis: RedisLink, lifecycle: &Lifecycle) -> Self {
        Self {
            users: Users::new(database.clone(), lifecycle.clone()),
            preferences: Preferences::new(database.clone(), redis.clone(), lifecycle.clone()),
            interactions: Interactions::new(database.clone(), lifecycle),
            profiles: Profiles::new(database.clone()),
            feed: Feed::new(database.clone()),
            revisions: Revisions::new(database.clone()),
            lifecycle: lifecycle.clone(),
            database,
            redis,
        }
    }

    /// Shows in the metrics what is not counted but looked at.
    pub fn show_metrics(&self) {
        database::pool_metrics::show(&self.database);
    }

    /// The routes with everything around them, as the server runs them.
    pub fn router(&self, config: &Config) -> middleware::WrappedRouter {
        middleware::wrap(handler::routes(self.clone(), config.server.request_timeout))
    }
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] postgres::PostgresError),
    /// Interactions that were restored from a backup.
    #[error("cannot read the table user_interactions")]
    Feed(#[source] sqlx::Error),
    /// The address of Redis.
    #[error("REDIS_ADDR cannot be used")]
    Redis(#[source] ::redis::RedisError),
    /// The port.
    #[error(transparent)]
    Bind(#[from] server::BindError),
    /// Signal handlers.
    #[error("the operating system refused")]
    System(#[from] std::io::Error),
}

/// Runs the service until SIGTERM or SIGINT. Says whether everything in flight was finished.
///
/// # Errors
/// [`StartError`] when it cannot start.
pub async fn run(config: &Config) -> Result<bool, StartError> {
    let lifecycle = Lifecycle::new();
    lifecycle.stop_on_signals()?;
    // Before anything else: where the port is taken the database must not be touched.
    let socket = server::bind(config.server.address, config.server.reuse_port)?;
    let stop = lifecycle.stop_token();
    let app = tokio::select! {
        app = App::connect(config, lifecycle.clone()) => app?,
        () = stop.cancelled() => return Ok(true),
    };
    let listener = socket.listen()?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    app.show_metrics();
    lifecycle.spawn(metrics::exposition::serve(config.metrics, config.server.clone(), stop));

    let stop = lifecycle.delayed_stop_token(config.server.shutdown_delay);
    let served = server::serve(listener, app.router(config), &config.server, stop).await;
    let limit = config.server.shutdown_delay + config.server.shutdown_timeout;
    let drained = lifecycle.drain(lifecycle.deadline(limit)).await;
    app.database.close(lifecycle.deadline(limit)).await;
    tracing::info!("PostgreSQL closed");
    drop(app);
    tracing::info!("Redis closed, stopped");
    Ok(served && drained)
}

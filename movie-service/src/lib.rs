//! movie-service: the catalogue of movies and its synchronisation with TMDB.
//!
//! Layers, and the only way arrows point: `handler` -> `service` -> `repository` -> `database`.

pub mod cli;
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
    repository::cache::Cache,
    service::{
        bulk::Bulk,
        catalogue::Catalogue,
        movie_editor::MovieEditor,
        movies::Movies,
        sync::Sync,
        tmdb::{Tmdb, TmdbSetupError},
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
    /// Lists and details.
    pub movies: Movies,
    /// Writing single movies.
    pub movie_editor: MovieEditor,
    /// Writing many movies.
    pub bulk: Bulk,
    /// Bringing the catalogue up to date.
    pub sync: Sync,
    /// Copies of the catalogue for other services.
    pub catalogue: Catalogue,
}

impl App {
    /// Connects everything; the database must be there, Redis need not.
    ///
    /// # Errors
    /// When PostgreSQL cannot be used, or the address of Redis is malformed.
    pub async fn connect(config: &Config, lifecycle: Lifecycle) -> Result<Self, StartError> {
        let database = Database::connect(&config.postgres, &MIGRATIONS).await?;
        Self::assemble(config, database, lifecycle).await
    }

    /// Puts the parts together around a database that has its schema.
    ///
    /// # Errors
    /// When the address of Redis is malformed or TLS cannot be set up.
    pub async fn assemble(config: &Config, database: Database, lifecycle: Lifecycle) -> Result<Self, StartError> {
        let redis = RedisLink::connect(&config.redis, &lifecycle).await.map_err(StartError::Redis)?;
        let tmdb = Tmdb::new(&config.tmdb)?;
        let cache = Cache::new(redis.clone(), &lifecycle);
        // An earlier process may have died between a change and its invalidation.
        cache.invalidate().await;
        let movies = Movies::new(database.clone(), cache.clone(), lifecycle.clone());
        let movie_editor = MovieEditor::new(database.clone(), cache.clone(), lifecycle.clone());
        let bulk = Bulk::new(database.clone(), cache.clone(), lifecycle.clone());
        let concurrency = config.tmdb.runtime_concurrency;
        let sync = Sync::new(database.clone(), cache, tmdb, concurrency, lifecycle.clone());
        let catalogue = Catalogue::new(database.clone(), lifecycle.clone());
        Ok(Self { database, redis, lifecycle, movies, movie_editor, bulk, sync, catalogue })
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
    /// The address of Redis.
    #[error("REDIS_ADDR cannot be used")]
    Redis(#[source] ::redis::RedisError),
    /// The client of TMDB.
    #[error(transparent)]
    Tmdb(#[from] TmdbSetupError),
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

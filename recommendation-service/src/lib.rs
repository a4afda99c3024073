//! recommendation-service: which movies a user may like, and why.
//!
//! Layers, and the only way arrows point: `handler` -> `service` -> `repository` -> `database`.

pub mod config;
pub mod connection_slots;
pub mod database;
pub mod drain_body;
pub mod error;
pub mod error_code;
pub mod evaluation;
pub mod handler;
pub mod http2;
pub mod lifecycle;
pub mod metrics;
pub mod middleware;
pub mod models;
pub mod otlp;
pub mod peers;
pub mod refusal_bodies;
pub mod repository;
pub mod server;
pub mod service;
pub mod service_metrics;
pub mod stall_timeout;
pub mod telemetry;

use crate::{
    config::Config,
    database::{
        postgres::{self, Database, DatabaseError},
        redis::RedisLink,
    },
    lifecycle::Lifecycle,
    peers::{feedback_feed::FeedbackFeed, movie_service::MovieService, user_preference_service::UserPreferenceService},
    service::{
        catalogue::{self, CatalogueStore},
        list_events::ListEvents,
        list_history::ListHistory,
        list_queue::ListQueue,
        list_retention,
        models::ModelStore,
        recommendations::Recommender,
        rule_editor::RuleEditor,
        rules::RuleStore,
        stored_models::StoredModels,
        training::Trainer,
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
    /// The copy of the catalogue.
    pub catalogue: CatalogueStore,
    /// The rules of scoring.
    pub rules: RuleStore,
    /// The collaborative model.
    pub models: ModelStore,
    /// Changes the rules.
    pub rule_editor: RuleEditor,
    /// Where the collaborative model comes from.
    pub stored_models: StoredModels,
    /// Trains the collaborative model.
    pub trainer: Trainer,
    /// Lists that wait to be recorded.
    pub lists: ListQueue,
    /// Lists that were made before.
    pub list_history: ListHistory,
    /// What people did with recommended movies.
    pub list_events: ListEvents,
    /// Makes recommendations.
    pub recommender: Recommender,
}

impl App {
    /// Connects everything; the database must be there, Redis and the peers need not.
    ///
    /// # Errors
    /// When PostgreSQL cannot be used, or an address is malformed.
    pub async fn connect(config: &Config, lifecycle: Lifecycle) -> Result<Self, StartError> {
        Self::new(config, lifecycle, Database::connect(&config.postgres, &MIGRATIONS).await?).await
    }

    /// The service on a database that is open already, with its background tasks running.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn new(config: &Config, lifecycle: Lifecycle, database: Database) -> Result<Self, StartError> {
        let redis = RedisLink::connect(&config.redis, &lifecycle).await.map_err(StartError::Redis)?;
        let client = config.peers.client().map_err(StartError::Peers)?;
        let rules = RuleStore::load(database.clone(), config.feedback).await.map_err(StartError::Rules)?;
        let (interval, stop) = (config.catalogue_refresh, lifecycle.stop_token());
        let catalogue = CatalogueStore::new(interval + config.catalogue_stale_after);
        let lists = ListQueue::default();

        let movies = MovieService::new(client.clone(), &config.peers);
        lifecycle.spawn(catalogue::refresh_periodically(catalogue.clone(), movies, interval, stop.clone()));
        lifecycle.spawn(rules.clone().refresh_periodically(interval, stop.clone()));
        lifecycle.spawn(lists.clone().write(database.clone()));
        lifecycle.spawn(list_retention::delete_periodically(database.clone(), config.history_days, stop.clone()));

        let models = ModelStore::default();
        let stored_models = StoredModels::new(database.clone(), models.clone());
        lifecycle.spawn(stored_models.clone().refresh_periodically(interval, stop.clone()));
        let feed = FeedbackFeed::new(client.clone(), &config.peers);
        let list_events = ListEvents::new(database.clone(), lifecycle.clone(), lists.clone());
        let trainer = Trainer::new(
            database.clone(),
            feed,
            catalogue.clone(),
            stored_models.clone(),
            list_events.clone(),
            config,
            lifecycle.clone(),
        );
        lifecycle.spawn(trainer.clone().run(stop));

        let users = UserPreferenceService::new(client, &config.peers, lifecycle.clone());
        let list_history = ListHistory::new(users.clone(), database.clone(), lists.clone());
        let recommender =
            Recommender::new(users, redis.clone(), catalogue.clone(), rules.clone(), models.clone(), lists.clone());
        let rule_editor = RuleEditor::new(database.clone(), lifecycle.clone());
        Ok(Self {
            database,
            redis,
            lifecycle,
            catalogue,
            rules,
            rule_editor,
            models,
            stored_models,
            trainer,
            lists,
            list_history,
            list_events,
            recommender,
        })
    }

    /// Shows in the metrics what is not counted but looked at.
    pub fn show_metrics(&self) {
        database::pool_metrics::show(&self.database);
        service_metrics::show(&self.catalogue, &self.models);
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
    /// The client for the peers.
    #[error("MOVIE_SERVICE_URL or USER_PREFERENCE_SERVICE_URL cannot be used")]
    Peers(#[source] reqwest::Error),
    /// The rules of scoring.
    #[error("the rules cannot be read")]
    Rules(#[source] DatabaseError),
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
    // No request is left that could add to them.
    app.lists.close();
    let drained = lifecycle.drain(lifecycle.deadline(limit)).await;
    app.database.close(lifecycle.deadline(limit)).await;
    tracing::info!("PostgreSQL closed");
    drop(app);
    tracing::info!("Redis closed, stopped");
    Ok(served && drained)
}

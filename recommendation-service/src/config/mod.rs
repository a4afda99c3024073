//! Settings, read once at the start from the environment; all errors are reported together.

pub mod env;
mod feedback;

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use crate::{
    database::{postgres::PostgresConfig, redis::RedisConfig},
    metrics::exposition::MetricsConfig,
    models::feedback::FeedbackSettings,
    peers::PeersConfig,
    server::ServerConfig,
    service::training::settings::ModelsConfig,
    telemetry::TelemetryConfig,
};

use self::env::{ConfigError, Env};

/// All settings of recommendation-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub server: ServerConfig,
    /// Its database, `recommendation_service`.
    pub postgres: PostgresConfig,
    /// Its cache, database 3.
    pub redis: RedisConfig,
    /// The services it asks.
    pub peers: PeersConfig,
    /// `CATALOGUE_REFRESH_SECONDS`: pause between two looks for changes of the catalogue and of the rules.
    pub catalogue_refresh: Duration,
    /// `CATALOGUE_STALE_AFTER_SECONDS`: how long refreshing the catalogue may fail before its copy counts as outdated.
    pub catalogue_stale_after: Duration,
    /// What each kind of feedback says: `FEEDBACK_WEIGHT_*` and `FEEDBACK_HALF_LIFE_DAYS`.
    pub feedback: FeedbackSettings,
    /// When the collaborative model is trained, and how large it may become: `MODEL_*`.
    pub models: ModelsConfig,
    /// `RECOMMENDATION_HISTORY_DAYS`: after so many days recorded lists are deleted.
    pub history_days: u16,
    /// Its log.
    pub telemetry: TelemetryConfig,
    /// Where its metrics are shown.
    pub metrics: MetricsConfig,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] with one line for each variable that cannot be used.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let config = Self {
            server: ServerConfig::from_env(&mut env, IpAddr::V4(Ipv4Addr::LOCALHOST), 8083),
            postgres: PostgresConfig::from_env(&mut env, "recommendation_service"),
            redis: RedisConfig::from_env(&mut env, 3, 100),
            peers: PeersConfig::from_env(&mut env),
            catalogue_refresh: env.seconds("CATALOGUE_REFRESH_SECONDS", 2),
            catalogue_stale_after: env.seconds("CATALOGUE_STALE_AFTER_SECONDS", 30),
            feedback: feedback::from_env(&mut env),
            models: ModelsConfig::from_env(&mut env),
            history_days: env.number("RECOMMENDATION_HISTORY_DAYS", 30, 1..=3650),
            telemetry: TelemetryConfig::from_env(&mut env),
            metrics: MetricsConfig::from_env(&mut env, 9083),
        };
        env.finish(config)
    }
}

//! Settings, read once at the start from the environment; all errors are reported together.

pub mod env;
pub mod tmdb;

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    database::{postgres::PostgresConfig, redis::RedisConfig},
    metrics::exposition::MetricsConfig,
    server::ServerConfig,
    telemetry::TelemetryConfig,
};

use self::{
    env::{ConfigError, Env},
    tmdb::TmdbConfig,
};

/// All settings of movie-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub server: ServerConfig,
    /// Its database, `movie_service`.
    pub postgres: PostgresConfig,
    /// Its cache, database 1.
    pub redis: RedisConfig,
    /// Where its movies come from.
    pub tmdb: TmdbConfig,
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
            server: ServerConfig::from_env(&mut env, IpAddr::V4(Ipv4Addr::LOCALHOST), 8081),
            postgres: PostgresConfig::from_env(&mut env, "movie_service"),
            redis: RedisConfig::from_env(&mut env, 1, 100),
            tmdb: TmdbConfig::from_env(&mut env),
            telemetry: TelemetryConfig::from_env(&mut env),
            metrics: MetricsConfig::from_env(&mut env, 9081),
        };
        env.finish(config)
    }
}

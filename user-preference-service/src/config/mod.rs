//! Settings, read once at the start from the environment; all errors are reported together.

pub mod env;

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    database::{postgres::PostgresConfig, redis::RedisConfig},
    metrics::exposition::MetricsConfig,
    server::ServerConfig,
    telemetry::TelemetryConfig,
};

use self::env::{ConfigError, Env};

/// All settings of user-preference-service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub server: ServerConfig,
    /// Its database, `user_preference_service`.
    pub postgres: PostgresConfig,
    /// Its cache, database 2.
    pub redis: RedisConfig,
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
            server: ServerConfig::from_env(&mut env, IpAddr::V4(Ipv4Addr::LOCALHOST), 8082),
            postgres: PostgresConfig::from_env(&mut env, "user_preference_service"),
            redis: RedisConfig::from_env(&mut env, 2, 100),
            telemetry: TelemetryConfig::from_env(&mut env),
            metrics: MetricsConfig::from_env(&mut env, 9082),
        };
        env.finish(config)
    }
}

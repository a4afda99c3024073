//! Settings, read once at the start from the environment; all errors are reported together.

pub mod env;
mod upstreams;

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::{
    auth::AuthConfig, database::redis::RedisConfig, metrics::exposition::MetricsConfig, server::ServerConfig,
    service::limiter::RateLimitConfig, telemetry::TelemetryConfig,
};

pub use self::upstreams::UpstreamsConfig;

use self::env::{ConfigError, Env};

/// All settings of api-gateway.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub server: ServerConfig,
    /// Its counters, database 0.
    pub redis: RedisConfig,
    /// Its log.
    pub telemetry: TelemetryConfig,
    /// Where its metrics are shown.
    pub metrics: MetricsConfig,
    /// How callers prove who they are.
    pub auth: AuthConfig,
    /// How many requests a client may make.
    pub rate_limit: RateLimitConfig,
    /// The services behind it.
    pub upstreams: UpstreamsConfig,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] with one line for each variable that cannot be used.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let upstreams = UpstreamsConfig::from_env(&mut env);
        let auth = AuthConfig::from_env(&mut env);
        let config = Self {
            server: server(&mut env, &upstreams.trusted_proxies),
            redis: RedisConfig::from_env(&mut env, 0, 25),
            telemetry: TelemetryConfig::from_env(&mut env),
            metrics: MetricsConfig::from_env(&mut env, 9080),
            rate_limit: RateLimitConfig::from_env(&mut env, auth.names_subjects()),
            auth,
            upstreams,
        };
        env.finish(config)
    }
}

/// `MAX_CONNECTIONS_PER_ADDRESS` is a quarter of `MAX_CONNECTIONS` by default; behind proxies, who have the connections of
/// many clients, there is no default.
fn server(env: &mut Env, proxies: &[IpNet]) -> ServerConfig {
    let mut server = ServerConfig::from_env(env, IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);
    let all = server.max_connections;
    let default = if proxies.is_empty() { all.div_ceil(4) } else { all };
    server.max_connections_per_address = env.number("MAX_CONNECTIONS_PER_ADDRESS", default, 1..=1_000_000);
    server
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &'static [(&'static str, &'static str)]) -> Result<Config, ConfigError> {
        Config::from_env(Env::from_fn(move |name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        }))
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let config = config(&[]).expect("defaults are right");
        assert_eq!(config.server.address.to_string(), "0.0.0.0:8080");
        assert_eq!((config.rate_limit.default.max, config.rate_limit.default.window.as_secs()), (100, 60));
        assert_eq!(config.redis.database, 0);
        assert_eq!(config.upstreams.timeout.as_secs(), 120);
        assert_eq!(config.upstreams.movie, ["localhost:8081"]);
        assert_eq!(config.upstreams.user_preference, ["localhost:8082"]);
        assert_eq!(config.upstreams.recommendation, ["localhost:8083"]);
        assert!(config.upstreams.trusted_proxies.is_empty());
    }

    #[test]
    fn every_error_is_named() {
        let error = config(&[
            ("RATE_LIMIT_MAX", "0"),
            ("MOVIE_SERVICE_URL", "http://a:1,https://movies"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, nonsense"),
            ("REDIS_ADDR", "localhost"),
        ])
        .expect_err("four errors")
        .to_string();
        for name in ["RATE_LIMIT_MAX", "MOVIE_SERVICE_URL", "TRUSTED_PROXIES", "REDIS_ADDR"] {
            assert!(error.lines().any(|line| line.starts_with(name)), "{name} is missing in: {error}");
        }
    }

    #[test]
    fn a_service_may_have_several_addresses() {
        let config = config(&[("MOVIE_SERVICE_URL", "http://a:1/, http://[::1]:2")]).expect("a list");
        assert_eq!(config.upstreams.movie, ["a:1", "[::1]:2"]);
    }

    #[test]
    fn a_trusted_proxy_may_be_an_address_or_a_network() {
        let config = config(&[("TRUSTED_PROXIES", "10.0.0.0/8, ::1")]).expect("both forms are right");
        assert_eq!(config.upstreams.trusted_proxies.len(), 2);
    }
}

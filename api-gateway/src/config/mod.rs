//! Settings, read once at the start from the environment; all errors are reported together.

pub mod env;

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use axum::http::uri::{Authority, Scheme};
use ipnet::IpNet;

use crate::{
    database::redis::RedisConfig, metrics::exposition::MetricsConfig, server::ServerConfig,
    service::limiter::RateLimitConfig, telemetry::TelemetryConfig,
};

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
    /// How many requests a client may make.
    pub rate_limit: RateLimitConfig,
    /// The services behind it.
    pub upstreams: UpstreamsConfig,
}

/// The services behind the gateway and the limits of talking to them.
#[derive(Debug, Clone)]
pub struct UpstreamsConfig {
    /// `MOVIE_SERVICE_URL`.
    pub movie: Origin,
    /// `USER_PREFERENCE_SERVICE_URL`.
    pub user_preference: Origin,
    /// `RECOMMENDATION_SERVICE_URL`.
    pub recommendation: Origin,
    /// `MOVIE_SERVICE_METRICS_URL`, `USER_PREFERENCE_SERVICE_METRICS_URL` and `RECOMMENDATION_SERVICE_METRICS_URL`: where the
    /// status reads what they count.
    pub metrics: [Origin; 3],
    /// `UPSTREAM_TIMEOUT_SECONDS`: time until an answer begins, and longest pause within its body.
    pub timeout: Duration,
    /// `UPSTREAM_CONNECT_TIMEOUT_MS`: time for a new connection.
    pub connect_timeout: Duration,
    /// `MAX_BODY_BYTES`: largest request body.
    pub max_body_bytes: usize,
    /// `TRUSTED_PROXIES`: networks whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// Scheme, host and port of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Only `http`: the services are on a private network.
    pub scheme: Scheme,
    /// Host and port.
    pub authority: Authority,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] with one line for each variable that cannot be used.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let upstreams = UpstreamsConfig::from_env(&mut env);
        let config = Self {
            server: server(&mut env, &upstreams.trusted_proxies),
            redis: RedisConfig::from_env(&mut env, 0, 25),
            telemetry: TelemetryConfig::from_env(&mut env),
            metrics: MetricsConfig::from_env(&mut env, 9080),
            rate_limit: RateLimitConfig::from_env(&mut env),
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

impl UpstreamsConfig {
    fn from_env(env: &mut Env) -> Self {
        Self {
            movie: origin(env, "MOVIE_SERVICE_URL", "http://localhost:8081"),
            user_preference: origin(env, "USER_PREFERENCE_SERVICE_URL", "http://localhost:8082"),
            recommendation: origin(env, "RECOMMENDATION_SERVICE_URL", "http://localhost:8083"),
            metrics: [
                origin(env, "MOVIE_SERVICE_METRICS_URL", "http://localhost:9081"),
                origin(env, "USER_PREFERENCE_SERVICE_METRICS_URL", "http://localhost:9082"),
                origin(env, "RECOMMENDATION_SERVICE_METRICS_URL", "http://localhost:9083"),
            ],
            timeout: env.seconds("UPSTREAM_TIMEOUT_SECONDS", 120),
            connect_timeout: env.millis("UPSTREAM_CONNECT_TIMEOUT_MS", 1000),
            max_body_bytes: env.number("MAX_BODY_BYTES", 16 * 1024 * 1024, 1..=1_099_511_627_776_usize),
            trusted_proxies: trusted_proxies(env),
        }
    }
}

fn origin(env: &mut Env, name: &str, default: &str) -> Origin {
    let url = env.text(name, default);
    let authority =
        url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')).and_then(|rest| rest.parse().ok());
    if authority.is_none() {
        env.invalid(name, &format!("an address such as {default}"));
    }
    Origin { scheme: Scheme::HTTP, authority: authority.unwrap_or(Authority::from_static("localhost")) }
}

fn trusted_proxies(env: &mut Env) -> Vec<IpNet> {
    let text = env.text("TRUSTED_PROXIES", "");
    let parse = |entry: &str| entry.parse().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
    let networks: Result<_, _> = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(parse).collect();
    networks.unwrap_or_else(|_| {
        env.invalid("TRUSTED_PROXIES", "addresses or networks with commas between, such as 10.0.0.0/8,192.0.2.1");
        Vec::new()
    })
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
        assert_eq!(config.upstreams.movie.authority, "localhost:8081");
        assert_eq!(config.upstreams.user_preference.authority, "localhost:8082");
        assert_eq!(config.upstreams.recommendation.authority, "localhost:8083");
        assert!(config.upstreams.trusted_proxies.is_empty());
    }

    #[test]
    fn every_error_is_named() {
        let error = config(&[
            ("RATE_LIMIT_MAX", "0"),
            ("MOVIE_SERVICE_URL", "https://movies"),
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
    fn a_trusted_proxy_may_be_an_address_or_a_network() {
        let config = config(&[("TRUSTED_PROXIES", "10.0.0.0/8, ::1")]).expect("both forms are right");
        assert_eq!(config.upstreams.trusted_proxies.len(), 2);
    }
}

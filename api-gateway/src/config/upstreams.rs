//! Settings of the services behind the gateway and of talking to them.

use std::{net::IpAddr, time::Duration};

use axum::http::uri::Authority;
use ipnet::IpNet;

use super::env::Env;

/// The services behind the gateway and the limits of talking to them.
#[derive(Debug, Clone)]
pub struct UpstreamsConfig {
    /// `MOVIE_SERVICE_URL`: hosts and ports, at least one; always `http`, for the services are on a private network.
    pub movie: Vec<Authority>,
    /// `USER_PREFERENCE_SERVICE_URL`: the same.
    pub user_preference: Vec<Authority>,
    /// `RECOMMENDATION_SERVICE_URL`: the same.
    pub recommendation: Vec<Authority>,
    /// `MOVIE_SERVICE_METRICS_URL`, `USER_PREFERENCE_SERVICE_METRICS_URL` and `RECOMMENDATION_SERVICE_METRICS_URL`: where the
    /// status reads what they count; in the same form.
    pub metrics: [Vec<Authority>; 3],
    /// `UPSTREAM_TIMEOUT_SECONDS`: time until an answer begins, and longest pause within its body.
    pub timeout: Duration,
    /// `UPSTREAM_CONNECT_TIMEOUT_MS`: time for a new connection.
    pub connect_timeout: Duration,
    /// `UPSTREAM_HEALTH_INTERVAL_SECONDS`: pause between health checks of a service with several addresses; 0 for none.
    pub health_interval: Duration,
    /// `UPSTREAM_RESTART_WAIT_MS`: how long requests wait for a service that has just gone away.
    pub restart_wait: Duration,
    /// `UPSTREAM_RETRY_PERCENT`: requests that may be sent again, in percent of all.
    pub retry_percent: u32,
    /// `UPSTREAM_BREAKER_FAILURES`: failures in a row after which a service is not asked for a while.
    pub breaker_failures: u32,
    /// `UPSTREAM_MAX_CONCURRENT`: requests to one service at once; half of them may be bulk and administration.
    pub max_in_flight: usize,
    /// `STALE_CACHE_BYTES`: most that is kept of movies and genres for the time that movie-service is away; 0 for nothing.
    pub stale_cache_bytes: u64,
    /// `MAX_URI_BYTES`: longest path with its query.
    pub max_uri_bytes: usize,
    /// `MAX_BODY_BYTES`: largest request body.
    pub max_body_bytes: usize,
    /// `TRUSTED_PROXIES`: networks whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl UpstreamsConfig {
    pub(super) fn from_env(env: &mut Env) -> Self {
        Self {
            movie: addresses(env, "MOVIE_SERVICE_URL", "http://localhost:8081"),
            user_preference: addresses(env, "USER_PREFERENCE_SERVICE_URL", "http://localhost:8082"),
            recommendation: addresses(env, "RECOMMENDATION_SERVICE_URL", "http://localhost:8083"),
            metrics: [
                addresses(env, "MOVIE_SERVICE_METRICS_URL", "http://localhost:9081"),
                addresses(env, "USER_PREFERENCE_SERVICE_METRICS_URL", "http://localhost:9082"),
                addresses(env, "RECOMMENDATION_SERVICE_METRICS_URL", "http://localhost:9083"),
            ],
            timeout: env.seconds("UPSTREAM_TIMEOUT_SECONDS", 120),
            connect_timeout: env.millis("UPSTREAM_CONNECT_TIMEOUT_MS", 1000),
            health_interval: Duration::from_secs(env.number("UPSTREAM_HEALTH_INTERVAL_SECONDS", 5, 0..=86_400)),
            restart_wait: Duration::from_millis(env.number("UPSTREAM_RESTART_WAIT_MS", 2000, 0..=60_000)),
            retry_percent: env.number("UPSTREAM_RETRY_PERCENT", 20, 0..=100),
            breaker_failures: env.number("UPSTREAM_BREAKER_FAILURES", 10, 1..=1_000_000),
            max_in_flight: env.number("UPSTREAM_MAX_CONCURRENT", 1024, 1..=1_000_000),
            stale_cache_bytes: env.number("STALE_CACHE_BYTES", 0, 0..=1_073_741_824),
            max_uri_bytes: env.number("MAX_URI_BYTES", 8192, 256..=32_768),
            max_body_bytes: env.number("MAX_BODY_BYTES", 16 * 1024 * 1024, 1..=1_099_511_627_776_usize),
            trusted_proxies: trusted_proxies(env),
        }
    }
}

fn addresses(env: &mut Env, name: &str, default: &str) -> Vec<Authority> {
    let text = env.text(name, default);
    let parse = |url: &str| url.trim().strip_prefix("http://")?.trim_end_matches('/').parse().ok();
    text.split(',').map(parse).collect::<Option<_>>().unwrap_or_else(|| {
        env.invalid(name, &format!("an address such as {default}, or several with commas between"));
        vec![Authority::from_static("localhost")]
    })
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

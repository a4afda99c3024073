//! Settings of the services behind the gateway and of talking to them.

use std::{net::IpAddr, time::Duration};

use axum::http::uri::{Authority, Scheme};
use ipnet::IpNet;

use super::env::Env;

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
    /// `MAX_URI_BYTES`: longest path with its query.
    pub max_uri_bytes: usize,
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

impl UpstreamsConfig {
    pub(super) fn from_env(env: &mut Env) -> Self {
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
            max_uri_bytes: env.number("MAX_URI_BYTES", 8192, 256..=32_768),
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

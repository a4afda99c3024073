//! How TMDB is reached.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::env::Env;

/// TMDB settings.
#[derive(Debug, Clone)]
pub struct TmdbConfig {
    /// What lets us in; without it the built-in sample takes TMDB's place.
    pub credentials: Option<Credentials>,
    /// `TMDB_BASE_URL`, without a trailing slash.
    pub base_url: String,
    /// `TMDB_CONNECT_TIMEOUT_MS`: longest wait for a connection.
    pub connect_timeout: Duration,
    /// `TMDB_TIMEOUT_MS`: longest wait for a whole answer.
    pub timeout: Duration,
    /// `TMDB_MAX_REQUESTS_PER_SECOND`: requests within any second.
    pub max_requests_per_second: usize,
    /// `TMDB_MAX_RETRIES`: further attempts after one that failed.
    pub max_retries: u32,
    /// `TMDB_RUNTIME_CONCURRENCY`: runtimes fetched side by side.
    pub runtime_concurrency: usize,
}

/// What TMDB asks for.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// `TMDB_ACCESS_TOKEN`, sent as a Bearer token; preferred, since it is in no address.
    AccessToken(SecretString),
    /// `TMDB_API_KEY`, sent as the parameter `api_key`.
    ApiKey(SecretString),
}

impl TmdbConfig {
    /// Reads the settings.
    pub fn from_env(env: &mut Env) -> Self {
        Self {
            credentials: credentials(env),
            base_url: base_url(env),
            connect_timeout: env.millis("TMDB_CONNECT_TIMEOUT_MS", 5000),
            timeout: env.millis("TMDB_TIMEOUT_MS", 15_000),
            max_requests_per_second: env.number("TMDB_MAX_REQUESTS_PER_SECOND", 40, 1..=100_000),
            max_retries: env.number("TMDB_MAX_RETRIES", 3, 0..=10),
            runtime_concurrency: env.number("TMDB_RUNTIME_CONCURRENCY", 8, 1..=64),
        }
    }
}

fn credentials(env: &mut Env) -> Option<Credentials> {
    let token = env.secret("TMDB_ACCESS_TOKEN");
    if token.as_ref().is_some_and(|token| !token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())) {
        env.invalid("TMDB_ACCESS_TOKEN", "printable ASCII characters without blanks");
    }
    token.map(Credentials::AccessToken).or_else(|| env.secret("TMDB_API_KEY").map(Credentials::ApiKey))
}

fn base_url(env: &mut Env) -> String {
    let url = env.base_url("TMDB_BASE_URL", "https://api.themoviedb.org/3");
    let usable = reqwest::Url::parse(&url).is_ok_and(|url| url.query().is_none() && url.fragment().is_none());
    // An address without http:// has been refused already.
    if !usable && url.starts_with("http") {
        env.invalid("TMDB_BASE_URL", "an address without a query, such as https://api.themoviedb.org/3");
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &'static [(&'static str, &'static str)]) -> Result<TmdbConfig, String> {
        let mut env =
            Env::from_fn(move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()));
        let config = TmdbConfig::from_env(&mut env);
        env.finish(config).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_key_there_are_no_credentials() {
        assert!(read(&[("TMDB_API_KEY", "")]).expect("defaults").credentials.is_none());
    }

    #[test]
    fn the_access_token_is_preferred_and_neither_is_shown() {
        let config = read(&[("TMDB_API_KEY", "key-1"), ("TMDB_ACCESS_TOKEN", "token-1")]).expect("valid");
        assert!(
            matches!(&config.credentials, Some(Credentials::AccessToken(token)) if token.expose_secret() == "token-1")
        );
        let shown = format!("{config:?}");
        assert!(!shown.contains("token-1") && !shown.contains("key-1"), "{shown}");
    }

    #[test]
    fn an_unusable_address_is_refused() {
        for url in ["http://a b", "ftp://a", "http://a/?x=1", "http://"] {
            let pairs: &'static [_] = Box::leak(Box::new([("TMDB_BASE_URL", url)]));
            let error = read(pairs).expect_err(url);
            assert!(error.starts_with("TMDB_BASE_URL must be"), "{error}");
        }
    }
}

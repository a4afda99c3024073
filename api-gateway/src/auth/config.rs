//! The settings of authentication.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::config::env::Env;

use super::{
    jwks::KeySource,
    jwt::{JwtConfig, JwtKeys},
};

/// Shortest secret for HS256 in bytes (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// `AUTH_MODE`: how callers prove who they are.
#[derive(Debug, Clone)]
pub enum AuthConfig {
    /// `mock`: any Bearer token.
    Mock,
    /// `jwt`: JSON Web Tokens.
    Jwt(JwtConfig),
    /// `api-key`: the keys whose hashes are in the file `API_KEY_FILE`.
    ApiKey(PathBuf),
}

impl AuthConfig {
    /// Reads the settings; those of other modes are not looked at.
    pub fn from_env(env: &mut Env) -> Self {
        let is_production = env.text("APP_ENV", "development").eq_ignore_ascii_case("production");
        match env.text("AUTH_MODE", "mock").as_str() {
            "mock" if is_production => env.invalid("AUTH_MODE", "jwt or api-key while APP_ENV is production"),
            "mock" => {}
            "jwt" => return Self::Jwt(jwt(env)),
            "api-key" => {
                return Self::ApiKey(required(env, "API_KEY_FILE", "the file with the hashes of API keys").into());
            }
            _ => env.invalid("AUTH_MODE", "mock, jwt or api-key"),
        }
        Self::Mock
    }

    /// Whether a request names somebody.
    pub fn names_subjects(&self) -> bool {
        !matches!(self, Self::Mock)
    }
}

fn jwt(env: &mut Env) -> JwtConfig {
    JwtConfig {
        keys: jwt_keys(env),
        issuer: required(env, "JWT_ISSUER", "the issuer of the tokens (iss)"),
        audience: required(env, "JWT_AUDIENCE", "the audience of the tokens (aud)"),
        leeway: std::time::Duration::from_secs(env.number("JWT_LEEWAY_SECONDS", 30, 0..=600)),
        refresh: env.seconds("JWT_JWKS_REFRESH_SECONDS", 300),
    }
}

fn jwt_keys(env: &mut Env) -> JwtKeys {
    let (secret, file) = (env.secret("JWT_SECRET"), env.optional("JWT_JWKS_FILE"));
    let url = env.optional("JWT_JWKS_URL").map(|_| env.base_url("JWT_JWKS_URL", ""));
    match (secret, url, file) {
        (Some(secret), None, None) => {
            if secret.expose_secret().len() < MIN_SECRET_BYTES {
                env.invalid("JWT_SECRET", &format!("at least {MIN_SECRET_BYTES} bytes long"));
            }
            JwtKeys::Secret(secret)
        }
        (None, Some(url), None) => JwtKeys::Public(KeySource::Url(url)),
        (None, None, Some(file)) => JwtKeys::Public(KeySource::File(file.into())),
        _ => {
            env.invalid("JWT_JWKS_URL", "set while AUTH_MODE is jwt, or instead of it JWT_JWKS_FILE or JWT_SECRET");
            JwtKeys::Secret(SecretString::from("unused"))
        }
    }
}

fn required(env: &mut Env, name: &str, expected: &str) -> String {
    env.optional(name).unwrap_or_else(|| {
        env.invalid(name, expected);
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(pairs: &'static [(&'static str, &'static str)]) -> String {
        let lookup = move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let mut env = Env::from_fn(lookup);
        AuthConfig::from_env(&mut env);
        env.finish(()).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn mock_is_refused_in_production() {
        assert_eq!(errors(&[("APP_ENV", "staging")]), "");
        let refused = "AUTH_MODE must be jwt or api-key while APP_ENV is production";
        assert_eq!(errors(&[("APP_ENV", "production")]), refused);
        assert_eq!(errors(&[("APP_ENV", "production"), ("AUTH_MODE", "mock")]), refused);
        assert_eq!(errors(&[("AUTH_MODE", "none")]), "AUTH_MODE must be mock, jwt or api-key");
    }

    #[test]
    fn a_real_mode_names_what_it_lacks() {
        assert!(errors(&[("AUTH_MODE", "api-key")]).starts_with("API_KEY_FILE"));
        let missing = errors(&[("AUTH_MODE", "jwt")]);
        for name in ["JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"] {
            assert!(missing.lines().any(|line| line.starts_with(name)), "{missing}");
        }
        const GOOD: [(&str, &str); 3] = [("AUTH_MODE", "jwt"), ("JWT_ISSUER", "i"), ("JWT_AUDIENCE", "a")];
        const SHORT: [(&str, &str); 4] = [GOOD[0], GOOD[1], GOOD[2], ("JWT_SECRET", "0123456789abcdef0123456789abcde")];
        assert_eq!(errors(&SHORT), "JWT_SECRET must be at least 32 bytes long");
        const LONG: [(&str, &str); 4] = [GOOD[0], GOOD[1], GOOD[2], ("JWT_SECRET", "0123456789abcdef0123456789abcdef")];
        assert_eq!(errors(&LONG), "");
        const TWO: [(&str, &str); 5] = [
            GOOD[0],
            GOOD[1],
            GOOD[2],
            ("JWT_JWKS_URL", "https://issuer.example/keys"),
            ("JWT_JWKS_FILE", "keys.json"),
        ];
        assert!(errors(&TWO).starts_with("JWT_JWKS_URL"));
    }
}

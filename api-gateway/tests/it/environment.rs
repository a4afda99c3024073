//! Reading settings: `config/env.rs` and `telemetry.rs`, of which every service has the same copy.

use api_gateway::{config::env::Env, telemetry::TelemetryConfig};
use secrecy::ExposeSecret;

fn env(pairs: &'static [(&'static str, &'static str)]) -> Env {
    Env::from_fn(move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn a_variable_that_is_empty_counts_as_not_set() {
    let mut env = env(&[("PORT", " "), ("NAME", "")]);
    assert_eq!(env.number("PORT", 8080_u16, 1..=65535), 8080);
    assert_eq!(env.text("NAME", "x"), "x");
    assert!(env.finish(()).is_ok());
}

#[test]
fn all_errors_are_reported_together() {
    let mut env = env(&[("PORT", "70000"), ("WAIT_MS", "-1"), ("URL", "localhost"), ("FLAG", "maybe")]);
    env.number("PORT", 1_u32, 1..=65535);
    env.millis("WAIT_MS", 1);
    env.base_url("URL", "http://a");
    env.parsed("FLAG", false, "true or false");
    let error = env.finish(()).expect_err("four errors").to_string();
    assert_eq!(
        error.lines().collect::<Vec<_>>(),
        [
            "PORT must be a whole number from 1 to 65535",
            "WAIT_MS must be a whole number from 1 to 3600000",
            "URL must be an address such as http://localhost:8081",
            "FLAG must be true or false",
        ]
    );
}

#[test]
fn a_secret_is_never_shown() {
    let secret = env(&[("KEY", "hunter2")]).secret("KEY").expect("set");
    assert!(!format!("{secret:?}").contains("hunter2"));
    assert_eq!(secret.expose_secret(), "hunter2");
}

#[test]
fn a_base_url_loses_its_trailing_slash() {
    assert_eq!(env(&[("URL", "http://a:1/")]).base_url("URL", ""), "http://a:1");
}

#[test]
fn a_log_filter_is_a_level_or_directives() {
    let is_valid = |filter: &'static str| {
        let mut env = Env::from_fn(move |name| (name == "LOG_LEVEL").then(|| filter.to_owned()));
        TelemetryConfig::from_env(&mut env);
        env.finish(()).is_ok()
    };
    for valid in ["info", "WARN", "off", "info,sqlx=debug", "warn,movie_service[request]=trace"] {
        assert!(is_valid(valid), "{valid}");
    }
    for invalid in ["loud", "info,loud", "sqlx=loud", "in fo"] {
        assert!(!is_valid(invalid), "{invalid}");
    }
}

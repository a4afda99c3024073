//! Settings.

use std::{collections::HashMap, time::Duration};

use recommendation_service::config::{Config, env::Env};

fn config(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let pairs: HashMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::from_env(Env::from_fn(move |name| pairs.get(name).cloned())).map_err(|error| error.to_string())
}

#[test]
fn every_setting_has_its_documented_default() {
    let config = config(&[]).unwrap();
    assert_eq!(config.server.address.to_string(), "127.0.0.1:8083");
    assert_eq!(config.postgres.database, "recommendation_service");
    assert_eq!(config.redis.database, 3);
    assert_eq!(config.peers.movie_service_url, "http://localhost:8081");
    assert_eq!(config.peers.user_preference_service_url, "http://localhost:8082");
    assert_eq!(config.peers.timeout, Duration::from_secs(2));
    assert_eq!(config.peers.profile_timeout, Duration::from_millis(300));
    assert_eq!((config.feedback.like, config.feedback.abandoned, config.feedback.half_life_days), (1.0, -0.4, 730.0));
    assert_eq!(config.catalogue_refresh, Duration::from_secs(2));
    assert_eq!(config.catalogue_stale_after, Duration::from_secs(30));
    assert_eq!((config.models.max_items, config.models.max_feedback), (15_000, 5_000_000));
    assert_eq!((config.models.train_after_changes, config.models.interval), (500, Duration::from_secs(60)));
}

#[test]
fn every_setting_can_be_changed() {
    let config = config(&[
        ("SERVER_PORT", "9000"),
        ("DB_NAME", "other"),
        ("REDIS_DB", "7"),
        ("MOVIE_SERVICE_URL", "https://movies.example/"),
        ("USER_PREFERENCE_SERVICE_URL", "http://users:1"),
        ("PEER_TIMEOUT_MS", "50"),
        ("PROFILE_TIMEOUT_MS", "60"),
        ("FEEDBACK_WEIGHT_WATCHED", "0.25"),
        ("FEEDBACK_HALF_LIFE_DAYS", "90.5"),
        ("CATALOGUE_REFRESH_SECONDS", "1"),
        ("CATALOGUE_STALE_AFTER_SECONDS", "7"),
        ("MODEL_MAX_ITEMS", "10"),
        ("MODEL_MAX_FEEDBACK", "2000"),
        ("MODEL_TRAIN_AFTER_CHANGES", "3"),
        ("MODEL_TRAIN_INTERVAL_SECONDS", "4"),
    ])
    .unwrap();
    assert_eq!((config.models.max_items, config.models.max_feedback), (10, 2_000));
    assert_eq!((config.models.train_after_changes, config.models.interval), (3, Duration::from_secs(4)));
    assert_eq!(config.server.address.port(), 9000);
    assert_eq!((config.postgres.database.as_str(), config.redis.database), ("other", 7));
    assert_eq!(config.peers.movie_service_url, "https://movies.example");
    assert_eq!(config.peers.user_preference_service_url, "http://users:1");
    assert_eq!((config.feedback.watched, config.feedback.half_life_days), (0.25, 90.5));
    assert_eq!(config.peers.profile_timeout, Duration::from_millis(60));
    assert_eq!((config.peers.timeout.as_millis(), config.catalogue_refresh.as_secs()), (50, 1));
    assert_eq!(config.catalogue_stale_after.as_secs(), 7);
}

#[test]
fn all_errors_are_reported_together() {
    let errors = config(&[
        ("MOVIE_SERVICE_URL", "localhost:8081"),
        ("USER_PREFERENCE_SERVICE_URL", "ftp://x"),
        ("PEER_TIMEOUT_MS", "soon"),
        ("CATALOGUE_REFRESH_SECONDS", "0"),
        ("FEEDBACK_WEIGHT_LIKE", "1.1"),
        ("FEEDBACK_HALF_LIFE_DAYS", "NaN"),
        ("SERVER_PORT", "80000"),
    ])
    .unwrap_err();
    insta::assert_snapshot!(errors);
}

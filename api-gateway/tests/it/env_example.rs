//! `.env.example` says what the code does.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use api_gateway::config::{Config, env::Env};

/// The variables of the top example and of this service's own, as if every line were taken into use.
fn example() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let mut variables = BTreeMap::new();
    for file in ["../.env.example", ".env.example"] {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let lines = text.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
        let lines = lines.filter(|(name, _)| is_name(name));
        variables.extend(lines.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    variables
}

#[test]
fn copying_the_example_changes_nothing() {
    let example = example();
    let by_default = Config::from_env(Env::from_fn(|_| None)).expect("the defaults are right");
    let by_example = Config::from_env(Env::from_fn(move |name| example.get(name).cloned())).expect("so is the example");
    assert_eq!(format!("{by_example:?}"), format!("{by_default:?}"));
}

#[test]
fn every_variable_that_is_read_is_in_an_example() {
    let example = example();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = asked.clone();
    let lookup = move |name: &str| {
        noted.lock().expect("one thread").push(name.to_owned());
        None
    };
    Config::from_env(Env::from_fn(lookup)).expect("the defaults are right");
    let asked = asked.lock().expect("one thread");
    let missing: Vec<_> = asked.iter().filter(|name| !example.contains_key(*name)).collect();
    assert!(missing.is_empty(), "not in an .env.example: {missing:?}");
}

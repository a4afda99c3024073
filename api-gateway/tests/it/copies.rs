//! Files that say in their first line that they are identical in several services, are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const BEHIND_THE_GATEWAY: [&str; 3] = ["movie-service", "recommendation-service", "user-preference-service"];
const EVERYBODY: [&str; 4] = ["api-gateway", "movie-service", "recommendation-service", "user-preference-service"];
const PREFIX: &str = "//! Identical in ";
const SUFFIX: &str = " (a test compares the copies).";

/// Every Rust file below `folder`.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Who must have a file, as its first line says; `None` when it says nothing.
fn owners(text: &str) -> Option<&'static [&'static str]> {
    match text.lines().next()?.strip_prefix(PREFIX)?.strip_suffix(SUFFIX) {
        Some("every service") => Some(&EVERYBODY),
        Some("the three services behind the gateway") => Some(&BEHIND_THE_GATEWAY),
        other => panic!("nobody knows who {other:?} are"),
    }
}

#[test]
fn files_that_say_so_are_identical_in_every_service() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // A service may live in a repository of its own; then there is nothing to compare.
    if EVERYBODY.iter().any(|service| !top.join(service).is_dir()) {
        return;
    }
    let mut copies: BTreeMap<PathBuf, BTreeMap<&str, String>> = BTreeMap::new();
    for service in EVERYBODY {
        let source = top.join(service).join("src");
        for file in rust_files(&source) {
            let text = fs::read_to_string(&file).unwrap();
            if owners(&text).is_some() {
                let relative = file.strip_prefix(&source).unwrap().to_owned();
                copies.entry(relative).or_default().insert(service, text);
            }
        }
    }
    assert!(copies.len() >= 8, "too few files say that they are identical: {:?}", copies.keys());
    let complaints: Vec<_> = copies.iter().flat_map(|(file, copies)| complaints(file, copies)).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// What is wrong with the copies of one file.
fn complaints(file: &Path, copies: &BTreeMap<&str, String>) -> Vec<String> {
    let (first, text) = copies.iter().next().expect("a file is listed because somebody has it");
    let expected: BTreeSet<_> = owners(text).expect("it was read because it says so").iter().copied().collect();
    let having: BTreeSet<_> = copies.keys().copied().collect();
    let missing = expected.difference(&having).map(|service| format!("{}: {service} has no copy", file.display()));
    let extra = having.difference(&expected).map(|service| format!("{}: {service} should have none", file.display()));
    let different = copies.iter().filter(|(_, copy)| *copy != text);
    let different = different.map(|(service, _)| format!("{}: {first} and {service} differ", file.display()));
    missing.chain(extra).chain(different).collect()
}

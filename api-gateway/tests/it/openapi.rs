//! The specification: up to date, whole, and true.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::Value;

const SERVICES: [&str; 3] = ["movie-service", "user-preference-service", "recommendation-service"];
const HINT: &str = "is not up to date: run `./dev-services.sh openapi`";

fn here(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(here(path))
        .unwrap_or_else(|error| panic!("{path} cannot be read ({error}): run `./dev-services.sh openapi`"))
}

fn parse(yaml: &str) -> Value {
    yaml_serde::from_str(yaml).unwrap()
}

fn platform() -> Value {
    parse(&api_gateway::handler::openapi_yaml())
}

#[test]
fn openapi_file_is_up_to_date() {
    let file = "../output/swagger/api-gateway.yaml";
    assert!(read(file) == api_gateway::handler::openapi_yaml(), "{file} {HINT}");
}

#[test]
fn the_copies_of_the_services_specifications_are_up_to_date() {
    for service in SERVICES {
        let (copy, original) = (format!("openapi/{service}.yaml"), format!("../output/swagger/{service}.yaml"));
        assert!(read(&copy) == read(&original), "api-gateway/{copy} {HINT}");
    }
}

#[test]
fn components_of_the_same_name_are_the_same_in_every_service() {
    let mut known: BTreeMap<(String, String), (&str, Value)> = BTreeMap::new();
    for service in SERVICES {
        let specification = parse(&read(&format!("openapi/{service}.yaml")));
        let Some(kinds) = specification["components"].as_object() else { continue };
        for (kind, components) in kinds {
            for (name, component) in components.as_object().unwrap() {
                let place = (kind.clone(), name.clone());
                let (first, same) = known.entry(place).or_insert_with(|| (service, component.clone()));
                // Two services may describe the states of different things as readiness; clients never see these. Each
                // has its own codes of errors; the gateway's page has all of them.
                if !["Health", "Readiness", "ErrorCode"].contains(&name.as_str()) {
                    assert_eq!(same, component, "{kind} {name} of {first} and {service} differ");
                }
            }
        }
    }
}

#[test]
fn the_codes_of_errors_are_those_of_all_services() {
    let platform = platform();
    let all = platform["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    for service in SERVICES {
        let specification = parse(&read(&format!("openapi/{service}.yaml")));
        let codes = specification["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
        assert!(codes.len() > 10 && codes.iter().all(|code| all.contains(code)), "{service}: {codes:?}");
    }
    assert!(all.contains(&"rate_limited".into()));
    let distinct: BTreeSet<_> = all.iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(distinct.len(), all.len(), "{all:?}");
}

/// Every `$ref` in a document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let platform = platform();
    let mut found = Vec::new();
    references(&platform, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is elsewhere"));
        assert!(platform.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn operations(platform: &Value) -> Vec<(String, &Value)> {
    let paths = platform["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
        .collect()
}

fn is_health(path: &str) -> bool {
    ["/health", "/ready", "/health/live"].iter().any(|end| path.ends_with(end))
}

#[test]
fn every_operation_has_an_id_of_its_own_and_no_tag_is_unknown() {
    let platform = platform();
    let tags: Vec<_> = platform["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut ids = BTreeMap::new();
    for (operation, content) in operations(&platform) {
        let id = content["operationId"].as_str().unwrap_or_else(|| panic!("{operation} has no id")).to_owned();
        if let Some(other) = ids.insert(id.clone(), operation.clone()) {
            panic!("{operation} and {other} are both {id}");
        }
        for tag in content["tags"].as_array().unwrap() {
            assert!(tags.contains(&tag.as_str().unwrap()), "{operation}: {tag}");
        }
    }
    assert!(tags.is_sorted_by(|a, b| a != b), "{tags:?}");
    assert_eq!((tags[0], tags[tags.len() - 1]), ("movies", "operations"), "movies come first, health last");
    for id in ids.keys() {
        let camel_case = id.starts_with(|letter: char| letter.is_ascii_lowercase());
        assert!(camel_case && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    }
}

#[test]
fn operation_ids_of_the_services_are_kept() {
    let platform = platform();
    for service in SERVICES {
        let specification = parse(&read(&format!("openapi/{service}.yaml")));
        for (operation, content) in operations(&specification) {
            let (method, path) = operation.split_once(' ').unwrap();
            let id = content["operationId"].as_str().unwrap();
            let shown = &platform["paths"][path][method];
            // A service that sets none has the name of a function here.
            if id.contains(char::is_uppercase) && !is_health(path) {
                assert!(shown.is_null() || shown["operationId"] == id, "{operation}: {id}");
            }
        }
    }
}

#[test]
fn every_response_has_a_description_and_those_of_the_gateway_are_shared() {
    let platform = platform();
    for (operation, content) in operations(&platform) {
        for (status, response) in content["responses"].as_object().unwrap() {
            let response = match response["$ref"].as_str() {
                Some(reference) => platform.pointer(reference.trim_start_matches('#')).unwrap(),
                None => response,
            };
            assert!(response["description"].is_string(), "{operation} {status}");
        }
    }
    for (name, code) in [
        ("Unauthorized", "missing_authorization"),
        ("Forbidden", "forbidden"),
        ("RateLimited", "rate_limited"),
        ("UpstreamUnavailable", "service_unavailable"),
        ("UpstreamTimeout", "service_timeout"),
    ] {
        let example = &platform["components"]["responses"][name]["content"]["application/json"]["example"];
        assert_eq!(example["code"], code, "{name}");
    }
}

#[test]
fn every_error_is_a_shared_response_with_an_example_of_its_own() {
    let platform = platform();
    let codes = platform["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    for (name, response) in platform["components"]["responses"].as_object().unwrap() {
        let example = &response["content"]["application/json"]["example"];
        assert!(example["error"].is_string() && codes.contains(&example["code"]), "{name}: {example}");
    }
    for (operation, content) in operations(&platform) {
        for (status, response) in content["responses"].as_object().unwrap() {
            // A gateway that is not ready says so in the same form as one that is.
            let is_error = status.starts_with(['4', '5']) && operation != "get /health/ready";
            assert!(!is_error || response["$ref"].is_string(), "{operation}: {status} is described inline");
        }
    }
}

#[test]
fn no_example_changes_or_deletes_what_is_there() {
    let platform = platform();
    for (operation, content) in operations(&platform) {
        if !operation.starts_with("get ") {
            for parameter in content["parameters"].as_array().into_iter().flatten().filter(|it| it["in"] == "path") {
                let prefilled =
                    &[&parameter["example"], &parameter["schema"]["default"], &parameter["schema"]["example"]];
                assert!(prefilled.iter().all(|value| value.is_null()), "{operation}: {parameter}");
            }
        }
    }
}

#[test]
fn operations_of_services_ask_for_a_token_and_list_what_the_gateway_may_answer() {
    let platform = platform();
    for (operation, content) in operations(&platform) {
        let path = operation.split(' ').nth(1).unwrap();
        assert!(!path.contains("/internal/"), "{operation} is not for clients");
        if is_health(path) {
            assert!(content["security"].is_null(), "{operation}");
            continue;
        }
        assert_eq!(content["security"], serde_json::json!([{"bearer": []}]), "{operation}");
        // The status is the gateway's own answer.
        let expected =
            if path == "/api/v1/status" { &["401", "429"][..] } else { &["401", "429", "502", "503", "504"] };
        for status in expected {
            assert!(content["responses"][*status].is_object(), "{operation} lacks {status}");
        }
        let is_of_a_user = path.starts_with("/api/v1/users/{");
        let shared = ["movies", "admin", "rules", "models", "experiments"];
        let is_shared = shared.iter().any(|name| path.split('/').nth(3) == Some(name));
        let may_be_forbidden = is_of_a_user || is_shared && !operation.starts_with("get ");
        assert_eq!(content["responses"]["403"].is_object(), may_be_forbidden, "{operation}");
    }
    assert_eq!(platform["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn the_page_of_the_gateway_has_every_operation_that_it_forwards() {
    let platform = platform();
    for service in SERVICES {
        let specification = parse(&read(&format!("openapi/{service}.yaml")));
        for (operation, _) in operations(&specification) {
            let (method, path) = operation.split_once(' ').unwrap();
            let own = path.contains("/internal/") || is_health(path);
            let shown = platform["paths"][path][method].is_object();
            assert!(own || shown, "{operation} of {service} is missing");
        }
    }
}

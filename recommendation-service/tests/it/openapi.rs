//! The specification.

use recommendation_service::handler::openapi_yaml;

#[test]
fn openapi_file_is_up_to_date() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../output/swagger/recommendation-service.yaml");
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(written == openapi_yaml(), "{file} is out of date: run ./dev-services.sh openapi");
}

/// One line an operation: method, path and the statuses it answers with.
fn operations(yaml: &str) -> String {
    let (mut path, mut lines) = (String::new(), Vec::new());
    for line in yaml.lines().take_while(|line| *line != "components:") {
        let text = line.trim_start();
        match (line.len() - text.len(), text) {
            (2, text) if text.starts_with('/') => path = text.trim_end_matches(':').to_owned(),
            (4, text) if !path.is_empty() => {
                lines.push(format!("{} {path}", text.trim_end_matches(':').to_uppercase()))
            }
            (8, text) if text.starts_with('\'') => {
                let status = text.trim_matches(['\'', ':']);
                lines.last_mut().expect("statuses stand below a method").push_str(&format!(" {status}"));
            }
            _ => {}
        }
    }
    lines.join("\n")
}

#[test]
fn every_operation_says_everything_it_answers() {
    insta::assert_snapshot!(operations(&openapi_yaml()), @r"
    GET /api/v1/experiments 200 503 504
    PUT /api/v1/experiments 200 400 408 413 415 503 504
    GET /api/v1/health 200
    GET /api/v1/models 200 503 504
    POST /api/v1/models/train 202 503 504
    GET /api/v1/models/train/{id} 200 404 503 504
    GET /api/v1/movies/{id}/also-liked 200 400 404 503 504
    GET /api/v1/ready 200 503
    POST /api/v1/recommendations 200 400 408 413 415 503 504
    GET /api/v1/recommendations/group 200 400 404 503 504
    GET /api/v1/recommendations/report 200 400 503 504
    POST /api/v1/recommendations/{recommendation_id}/events 200 400 404 408 413 415 503 504
    GET /api/v1/rules 200 400 503 504
    POST /api/v1/rules 201 400 408 409 413 415 503 504
    GET /api/v1/rules/{id} 200 400 404 503 504
    PUT /api/v1/rules/{id} 200 400 404 408 409 413 415 503 504
    DELETE /api/v1/rules/{id} 204 400 404 503 504
    PATCH /api/v1/rules/{id} 200 400 404 408 409 413 415 503 504
    GET /api/v1/rules/{id}/history 200 400 404 503 504
    GET /api/v1/users/{id}/recommendations 200 400 404 503 504
    GET /api/v1/users/{id}/recommendations/history 200 400 404 503 504
    GET /api/v1/users/{id}/recommendations/history/diff 200 400 404 503 504
    GET /health/live 200
    GET /health/ready 200 503
    ");
}

#[test]
fn the_limit_is_a_number_and_what_else_is_accepted_is_said_in_words() {
    let yaml = openapi_yaml();
    let (_, operation) = yaml.split_once("/api/v1/users/{id}/recommendations:\n").expect("the operation");
    let (_, rest) = operation.split_once("- name: limit\n").expect("the parameter");
    let (limit, _) = rest.split_once("- name:").expect("another parameter");
    assert!(limit.contains("type: integer") && limit.contains("Anything else than 1 to 50 means 10"), "{limit}");
}

//! The specification.

use user_preference_service::handler::openapi_yaml;

#[test]
fn openapi_file_is_up_to_date() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../output/swagger/user-preference-service.yaml");
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
    GET /api/v1/health 200
    GET /api/v1/ready 200 503
    POST /api/v1/users 201 400 408 409 413 415 503 504
    GET /api/v1/users/{id} 200 400 404 503 504
    GET /api/v1/users/{id}/interactions 200 400 404 503 504
    POST /api/v1/users/{id}/interactions 201 400 404 408 413 415 503 504
    GET /api/v1/users/{id}/preferences 200 400 404 503 504
    POST /api/v1/users/{id}/preferences 200 400 404 408 413 415 503 504
    GET /health/live 200
    GET /health/ready 200 503
    GET /internal/v1/feedback 200 400 503 504
    POST /internal/v1/revisions 200 400 408 413 415 503 504
    GET /internal/v1/users/{id}/profile 200 400 404 503 504
    ");
}

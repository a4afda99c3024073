//! The specification.

use std::{fs, path::Path};

use recommendation_service::handler::openapi_yaml;

#[test]
fn openapi_file_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../output/swagger/recommendation-service.yaml");
    let stored = fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == openapi_yaml(), "{} is stale; refresh it with: ./dev-services.sh openapi", file.display());
}

#[test]
fn every_operation_lists_its_errors_in_the_common_form() {
    let yaml = openapi_yaml();
    for path in ["/api/v1/users/{id}/recommendations:", "/api/v1/rules:", "/api/v1/health:", "/api/v1/ready:"] {
        assert!(yaml.contains(path), "{path}");
    }
    for status in ["'400':", "'404':", "'503':"] {
        assert!(yaml.contains(status), "{status}");
    }
    assert!(yaml.contains("'#/components/schemas/ErrorBody'"));
}

#[test]
fn parameters_that_are_read_leniently_take_any_text() {
    let yaml = openapi_yaml();
    for name in ["limit", "include_seen"] {
        let (_, rest) = yaml.split_once(&format!("- name: {name}\n")).expect(name);
        let parameter = rest.split("- name:").next().and_then(|rest| rest.split("responses:").next()).expect(name);
        assert!(parameter.contains("anyOf:") && parameter.contains("- type: string"), "{parameter}");
        assert!(!parameter.contains("format:"), "{parameter}");
    }
}

//! The specification in the repository is the one the code makes.

#[test]
fn openapi_file_is_up_to_date() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../output/swagger/movie-service.yaml");
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == movie_service::handler::openapi_yaml(),
        "{file} is stale; refresh it with ./dev-services.sh openapi"
    );
}

//! The specification of the platform as its clients see it: the gateway's own operations and those of the services,
//! each under its gateway path, with what the gateway adds (token, limit, its own errors).

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder,
        ServerBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
        tag::TagBuilder,
    },
};

use crate::{
    error::ErrorBody,
    phases::rate_limit::RateLimited,
    routing::{Route, route},
};

/// The specifications of the services, written by `./dev-services.sh openapi`.
const SERVICES: [(&str, &str); 3] = [
    ("movie-service", include_str!("../../openapi/movie-service.yaml")),
    ("user-preference-service", include_str!("../../openapi/user-preference-service.yaml")),
    ("recommendation-service", include_str!("../../openapi/recommendation-service.yaml")),
];

const DESCRIPTION: &str = "Discover, manage and recommend movies. Every operation below `/api/v1` needs a Bearer token \
    (any will do: press **Authorize** and type one) and counts against the limit of the client's address; health and \
    readiness need neither.";

/// The gateway's own operations and everything it forwards to.
pub fn platform(own: OpenApi) -> OpenApi {
    let mut platform = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Movie Discovery Platform")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url("/").description(Some("This gateway")).build()]))
        .paths(own.paths)
        .components(Some(own.components.unwrap_or_default()))
        .build();
    let mut tags = vec![TagBuilder::new().name("operations").description(Some("Health and readiness")).build()];
    for (service, yaml) in SERVICES {
        let spec: OpenApi = yaml_serde::from_str(yaml)
            .unwrap_or_else(|error| panic!("openapi/{service}.yaml is not a specification: {error}"));
        let known = spec.tags.unwrap_or_default();
        tags.extend(known.into_iter().filter(|tag| tag.name != "operations" && tag.name != "internal"));
        add(&mut platform, spec.paths.paths, spec.components.unwrap_or_default());
    }
    platform.tags = Some(tags);
    add_common(platform.components.get_or_insert_default());
    platform
}

/// Adds what clients of the gateway can reach.
fn add(platform: &mut OpenApi, paths: impl IntoIterator<Item = (String, PathItem)>, components: Components) {
    for (path, mut item) in paths {
        if matches!(route(&path), Route::Service(_)) {
            for (method, operation) in operations(&mut item) {
                operation.operation_id = Some(operation_id(method, &path));
                add_what_the_gateway_answers(operation);
            }
            platform.paths.paths.insert(path, item);
        }
    }
    let known = platform.components.get_or_insert_default();
    for (name, schema) in components.schemas {
        known.schemas.entry(name).or_insert(schema);
    }
    for (name, response) in components.responses {
        known.responses.entry(name).or_insert(response);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, head, .. } = item;
    [("get", get), ("post", post), ("put", put), ("patch", patch), ("delete", delete), ("head", head)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// A name that no other operation has, whatever the services call theirs: `get_users_id_preferences`.
fn operation_id(method: &str, path: &str) -> String {
    let names = path.trim_start_matches("/api/v1").split('/').map(|segment| segment.trim_matches(['{', '}']));
    names.fold(method.to_owned(), |id, name| if name.is_empty() { id } else { format!("{id}_{name}") })
}

fn add_what_the_gateway_answers(operation: &mut Operation) {
    operation.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    let own = [
        ("401", "No Bearer token", "ErrorBody"),
        ("429", "Over the limit of this address; `Retry-After` says when to come back", "RateLimited"),
        ("502", "The service behind the gateway cannot be reached", "ErrorBody"),
        ("504", "The service behind the gateway did not answer in time", "ErrorBody"),
    ];
    for (status, description, schema) in own {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
        let response = ResponseBuilder::new().description(description).content("application/json", content).build();
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}

/// The schemas and the security scheme that the gateway's additions refer to.
fn add_common(components: &mut Components) {
    for (name, schema) in [(ErrorBody::name(), ErrorBody::schema()), (RateLimited::name(), RateLimited::schema())] {
        components.schemas.entry(name.into_owned()).or_insert(schema);
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("Any token")).build();
    components.security_schemes.insert("bearer".to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
}

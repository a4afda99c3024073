//! The specification of the platform as its clients see it: the gateway's own operations and those of the services,
//! with what the gateway adds to each (token, rate limit, its own errors).

use axum::http::Method;
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ContactBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem,
        Ref, RefOr, Response, ResponseBuilder, Schema, ServerBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
        tag::TagBuilder,
    },
};

use crate::{
    auth::{Identity, is_permitted},
    error::ErrorBody,
    error_code::ErrorCode,
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
    (in mock mode any will do: press **Authorize** and type one) and counts against the limit of the client's address; health, \
    readiness and this page need neither.";

/// What the gateway may answer to any operation of a service: status and name of the shared response. Each has a 503 of its
/// own, which the gateway may answer in its place.
const GATEWAY_RESPONSES: [(&str, &str); 4] =
    [("401", "Unauthorized"), ("429", "RateLimited"), ("502", "UpstreamUnavailable"), ("504", "UpstreamTimeout")];

/// What it may answer to its own operations that need a token.
const LIMITED_RESPONSES: [(&str, &str); 2] = [GATEWAY_RESPONSES[0], GATEWAY_RESPONSES[1]];

/// The gateway's own operations and everything it forwards to.
pub fn platform(own: OpenApi) -> OpenApi {
    let license = LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE")).identifier(Some(env!("CARGO_PKG_LICENSE")));
    let info = InfoBuilder::new()
        .title("Movie Discovery Platform")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .contact(Some(ContactBuilder::new().name(Some("The maintainers")).build()))
        .license(Some(license.build()));
    let mut paths = own.paths;
    let limited = paths.paths.iter_mut().filter(|(path, _)| route(path) == Route::Status);
    for (_, operation) in limited.flat_map(|(_, item)| operations(item)) {
        add_responses(operation, &LIMITED_RESPONSES);
    }
    let mut platform = OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url("/").description(Some("This gateway")).build()]))
        // No token by default; operations of services ask for one.
        .security(Some([SecurityRequirement::default()]))
        .paths(paths)
        .components(own.components)
        .build();
    let mut error_code = ErrorCode::schema();
    for (service, yaml) in SERVICES {
        let spec: OpenApi = yaml_serde::from_str(yaml)
            .unwrap_or_else(|error| panic!("openapi/{service}.yaml is not a specification: {error}"));
        add_codes(&mut error_code, &spec);
        platform.merge(reachable(spec));
    }
    let operations = TagBuilder::new().name("operations").description(Some("Health, readiness and status"));
    platform.tags.get_or_insert_default().push(operations.build());
    let components = platform.components.get_or_insert_default();
    add_shared(components);
    components.schemas.insert(ErrorCode::name().into_owned(), error_code);
    remove_unused(&mut platform);
    platform
}

/// Adds the codes of a service's errors: clients of the gateway may get all of them.
fn add_codes(error_code: &mut RefOr<Schema>, spec: &OpenApi) {
    let schemas = spec.components.as_ref().map(|components| &components.schemas);
    let codes = schemas.and_then(|schemas| schemas.get(ErrorCode::name().as_ref()));
    if let (RefOr::T(Schema::Object(all)), Some(RefOr::T(Schema::Object(codes)))) = (error_code, codes) {
        let all = all.enum_values.get_or_insert_default();
        let new = codes.enum_values.iter().flatten().filter(|code| !all.contains(code));
        all.extend(new.cloned().collect::<Vec<_>>());
    }
}

/// The part of a service's specification that clients of the gateway can reach.
fn reachable(mut spec: OpenApi) -> OpenApi {
    spec.servers = None;
    spec.security = None;
    spec.tags.get_or_insert_default().retain(|tag| tag.name != "operations" && tag.name != "internal");
    spec.paths.paths.retain(|path, _| matches!(route(path), Route::Service(_)));
    for (path, item) in &mut spec.paths.paths {
        for (method, operation) in operations(item) {
            add_responses(operation, &GATEWAY_RESPONSES);
            if may_be_forbidden(&method, path) {
                add_responses(operation, &[("403", "Forbidden")]);
            }
        }
    }
    spec
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, head, .. } = item;
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD];
    let operations = methods.into_iter().zip([get, post, put, patch, delete, head]);
    operations.filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Whether the gateway refuses an operation to callers without the scope `admin`.
fn may_be_forbidden(method: &Method, path: &str) -> bool {
    let anybody = Identity::new("anybody", Vec::new()).expect("a legal subject");
    !is_permitted(&anybody, method, path)
}

fn add_responses(operation: &mut Operation, responses: &[(&str, &str)]) {
    operation.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    for &(status, name) in responses {
        let response = RefOr::Ref(Ref::from_response_name(name));
        operation.responses.responses.entry(status.to_owned()).or_insert(response);
    }
}

/// The schemas, responses and the security scheme that the gateway's additions refer to.
fn add_shared(components: &mut Components) {
    for (name, schema) in [(ErrorBody::name(), ErrorBody::schema()), (RateLimited::name(), RateLimited::schema())] {
        components.schemas.entry(name.into_owned()).or_insert(schema);
    }
    let unauthorized = json!({"error": "missing Authorization header", "code": "missing_authorization"});
    let forbidden = "In the modes `jwt` and `api-key`: the token is for another user, or lacks the scope `admin`";
    let forbidden_example = json!({"error": "forbidden", "code": "forbidden"});
    let rate_limited = json!({"error": "rate limit exceeded", "code": "rate_limited", "retry_after": 42});
    let unavailable = "The service behind the gateway gave no response. `service_unavailable`: nothing was sent to it. \
        `invalid_response`: its response to a read broke off. `unconfirmed`: its response to a write broke off, and the \
        change may have been made";
    let timeout = "The service behind the gateway did not respond in time: `service_timeout`, or `unconfirmed` for a \
        write, which may have been made";
    let unavailable_example = json!({"error": "service unavailable: movie-service", "code": "service_unavailable"});
    let timed_out = json!({"error": "service did not answer in time: movie-service", "code": "service_timeout"});
    let responses = [
        ("Unauthorized", response("No valid Bearer token", "ErrorBody", unauthorized)),
        ("Forbidden", response(forbidden, "ErrorBody", forbidden_example)),
        (
            "RateLimited",
            response("Over the limit of this client; `Retry-After` says when to retry", "RateLimited", rate_limited),
        ),
        ("UpstreamUnavailable", response(unavailable, "ErrorBody", unavailable_example)),
        ("UpstreamTimeout", response(timeout, "ErrorBody", timed_out)),
    ];
    components.responses.extend(responses.map(|(name, response)| (name.to_owned(), RefOr::T(response))));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("Any token in mock mode, otherwise a JSON Web Token or an API key"))
        .build();
    components.security_schemes.insert("bearer".to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
}

fn response(description: &str, schema: &str, example: Value) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).example(Some(example)).build();
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

/// Removes what only operations that are not forwarded referred to, and then what only that referred to.
fn remove_unused(platform: &mut OpenApi) {
    loop {
        let text = platform.to_json().expect("a specification made of strings and numbers always serialises");
        let is_used = |kind: &str, name: &str| text.contains(&format!("\"#/components/{kind}/{name}\""));
        let components = platform.components.get_or_insert_default();
        let before = components.responses.len() + components.schemas.len();
        components.responses.retain(|name, _| is_used("responses", name));
        components.schemas.retain(|name, _| is_used("schemas", name));
        if components.responses.len() + components.schemas.len() == before {
            return;
        }
    }
}

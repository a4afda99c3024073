//! Query parameters in the specification. They are read leniently, and it says so: besides the values that mean
//! something, any text is taken, and means the default.

use serde_json::{Value, json};
use utoipa::{
    IntoParams,
    openapi::{
        RefOr, Required, Schema,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{AnyOfBuilder, ObjectBuilder, SchemaType, Type},
    },
};

/// The parameters of a list of recommendations.
pub(super) struct RecommendationParameters;

impl IntoParams for RecommendationParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = of_type(Type::Integer).minimum(Some(1)).maximum(Some(50));
        let include_seen = of_type(Type::Boolean);
        vec![
            parameter("limit", "How many movies, 1 to 50; anything else means 10.", lenient(limit, json!(10))),
            parameter(
                "include_seen",
                "`true` or `1` brings watched and disliked movies back; anything else does not.",
                lenient(include_seen, json!(false)),
            ),
        ]
    }
}

fn parameter(name: &str, description: &str, schema: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn of_type(of: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(of))
}

fn lenient(meaningful: ObjectBuilder, default: Value) -> RefOr<Schema> {
    let any_text = of_type(Type::String);
    Schema::AnyOf(AnyOfBuilder::new().item(meaningful).item(any_text).default(Some(default)).build()).into()
}

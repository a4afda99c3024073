//! Query parameters in the specification. Those that are read leniently say so: besides the values that mean something,
//! any text is taken, and means the default.

use serde_json::{Value, json};
use utoipa::{
    IntoParams,
    openapi::{
        RefOr, Required, Schema,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{AnyOfBuilder, ObjectBuilder, SchemaType, Type},
    },
};

/// Parameters of the list, which are read by `ListQuery::parse`.
pub(super) struct ListParameters;

/// The parameter of a sync, which is read by `sync_pages`.
pub(super) struct SyncParameters;

impl IntoParams for ListParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            parameter("page", "The page, counted from 1; anything else means 1.", lenient(number(None), json!(1))),
            parameter(
                "page_size",
                "Movies on a page, 1 to 100; anything else means 20.",
                lenient(number(Some(100)), json!(20)),
            ),
            parameter(
                "sort_by",
                "`popularity`, `release_date` or `title`; anything else means `popularity`. Movies without the value come \
                 last in both orders; those with the same value are sorted by id, in the same direction.",
                lenient(text().enum_values(Some(["popularity", "release_date", "title"])), json!("popularity")),
            ),
            parameter(
                "order",
                "`desc` or `asc`; anything else means `desc`.",
                lenient(text().enum_values(Some(["desc", "asc"])), json!("desc")),
            ),
            parameter(
                "release_date_from",
                "Released on this day or later, `YYYY-MM-DD`; empty counts as left out.",
                date("2024-01-01"),
            ),
            parameter(
                "release_date_to",
                "Released on this day or earlier, `YYYY-MM-DD`; empty counts as left out.",
                date("2026-12-31"),
            ),
        ]
    }
}

impl IntoParams for SyncParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "Pages of TMDB's discover list to fetch, most popular first: clamped to 1..50, and 5 when it is \
                           not a number. Without a TMDB key it limits nothing: the built-in sample is always loaded whole.";
        vec![parameter("pages", description, lenient(number(Some(50)), json!(5)))]
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

fn date(example: &str) -> RefOr<Schema> {
    text().pattern(Some("^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")).examples([json!(example)]).into()
}

fn number(maximum: Option<i64>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer)).minimum(Some(1)).maximum(maximum)
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn lenient(meaningful: ObjectBuilder, default: Value) -> RefOr<Schema> {
    Schema::AnyOf(AnyOfBuilder::new().item(meaningful).item(text()).default(Some(default)).build()).into()
}

//! Query parameters in the specification. Those that are read leniently say so in words: any other text means the default.

use serde_json::{Value, json};
use utoipa::{
    IntoParams,
    openapi::{
        RefOr, Required, Schema,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, SchemaType, Type},
    },
};

use crate::models::includes;

/// Parameters of the list, which are read by `ListQuery::parse`.
pub(super) struct ListParameters;

/// What a movie must be.
pub(super) struct FilterParameters;

/// Parameters of a sync, which are read by `SyncRequest::parse`.
pub(super) struct SyncParameters;

impl IntoParams for ListParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = FilterParameters::into_params(|| None);
        all.extend([
            // No default here: pages that send it would sort a search by popularity.
            parameter(
                "sort_by",
                "By default `relevance` with `q`, which it needs, else `popularity`; anything else means the same. Movies \
                 without the value come last in both orders; those with the same value are sorted by id, in the same \
                 direction. A movie without votes has no `vote_average`.",
                lenient(text().enum_values(Some(SORTS)), None),
            ),
            parameter(
                "order",
                "`desc` or `asc`; anything else means `desc`.",
                lenient(text().enum_values(Some(["desc", "asc"])), json!("desc")),
            ),
            parameter("page", "The page, counted from 1; anything else means 1.", lenient(number(None), json!(1))),
            parameter(
                "page_size",
                "Movies on a page, 1 to 100; anything else means 20.",
                lenient(number(Some(100)), json!(20)),
            ),
            parameter(
                "cursor",
                "Where to go on: the `next_cursor` of an answer to the same query, whose `page_size`, `include` and `facets` may \
                 differ. Movies that come or go meanwhile neither repeat others nor hide them. `page` does not count with it.",
                text().pattern(Some("^[A-Za-z0-9_-]+$")).max_length(Some(4096)).into(),
            ),
            parameter(
                "include",
                "More fields of each movie, as in its detail; separated by `,`, each once.",
                names(&includes::INCLUDES, "genres,overview"),
            ),
            parameter(
                "facets",
                "Counts of the movies that match, by these; separated by `,`, each once.",
                names(&includes::FACETS, "genres,year"),
            ),
        ]);
        all
    }
}

const SORTS: [&str; 8] =
    ["popularity", "release_date", "title", "vote_average", "vote_count", "runtime", "created_at", "relevance"];

/// These are strict: what is empty (but for a date), repeated or out of range is refused.
impl IntoParams for FilterParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let minutes = || whole(0, i32::MAX);
        vec![
            parameter(
                "q",
                "Searches titles and original titles, in any script; case, accents and punctuation do not matter. By relevance \
                 come first titles that are the same, then those that begin with it, then those with words that begin with \
                 its words, and last, when those are fewer than 20, the 500 most popular titles spelt like it: words of 4 \
                 letters may have one mistake and those of 6 two, a space may be missing or too many, and when nothing is \
                 found, one word of several may be missing. Popularity breaks ties.",
                text().pattern(Some(r"\S")).max_length(Some(200)).examples([json!("shawshenk redemtion")]).into(),
            ),
            parameter(
                "with_genres",
                "Has these genres: names in any case, or ids; all with `,`, any with `|`.",
                genres("Drama,War"),
            ),
            parameter(
                "without_genres",
                "Has not all (`,`) or not any (`|`) of these genres.",
                genres("Horror|Thriller"),
            ),
            parameter(
                "with_original_language",
                "The original language (ISO 639-1), in any case.",
                pattern("^[A-Za-z]{2,3}$", "fr"),
            ),
            parameter("year", "The year of release.", whole(1, 9999)),
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
            parameter(
                "vote_average_gte",
                "Rated this or better. A movie without votes has no rating.",
                decimal(Some(10.0)),
            ),
            parameter("vote_average_lte", "Rated this or worse.", decimal(Some(10.0))),
            parameter("vote_count_gte", "At least so many votes.", whole(0, i32::MAX)),
            parameter("runtime_gte", "At least so many minutes long.", minutes()),
            parameter("runtime_lte", "At most so many minutes long.", minutes()),
            parameter("popularity_gte", "At least as popular.", decimal(None)),
            parameter(
                "ids",
                "One of these movies: up to 100 ids.",
                pattern(&format!("^{ID}(,{ID}){{0,99}}$"), "1,2,3"),
            ),
        ]
    }
}

/// A number above 0 that an id can be, with any zeros before it.
const ID: &str = "0*([1-9][0-9]{0,8}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}\
                  |21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])";

fn genres(example: &str) -> RefOr<Schema> {
    pattern("^[^,|]+(,[^,|]+){0,19}$|^[^,|]+([|][^,|]+){1,19}$", example)
}

fn names<T>(known: &[(&str, T)], example: &str) -> RefOr<Schema> {
    let names = known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|");
    pattern(&format!("^({names})(,({names})){{0,{}}}$", known.len() - 1), example)
}

fn pattern(pattern: &str, example: &str) -> RefOr<Schema> {
    text().pattern(Some(pattern)).examples([json!(example)]).into()
}

fn whole(minimum: i32, maximum: i32) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .minimum(Some(minimum))
        .maximum(Some(maximum))
        .into()
}

fn decimal(maximum: Option<f64>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::Number)).minimum(Some(0)).maximum(maximum).into()
}

impl IntoParams for SyncParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let pages = "Pages of TMDB's list to fetch, of each year when there are several, most popular first: clamped to 1..50, \
                     with `mode=async` to 1..500, and 5 when it is not a number. Without a TMDB key it limits nothing: the \
                     built-in sample is always loaded whole.";
        let year = || {
            let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
            schema.minimum(Some(1874)).maximum(Some(2100)).into()
        };
        vec![
            parameter("pages", pages, lenient(number(Some(500)), json!(5))),
            parameter("mode", "`async` starts a job.", text().enum_values(Some(["async"])).into()),
            parameter("year", "Movies released in this year.", year()),
            parameter(
                "years",
                "Movies released in these years, at most 200, each with `pages` pages. Not together with `year`.",
                pattern("^[0-9]{4}[.][.][0-9]{4}$", "1990..2025"),
            ),
            parameter(
                "with_genres",
                "Movies that have these genres: names in any case, or ids; all with `,`, any with `|`.",
                genres("Drama,War"),
            ),
            parameter(
                "language",
                "Movies in this original language (ISO 639-1), in any case.",
                pattern("^[A-Za-z]{2}$", "fr"),
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

fn date(example: &str) -> RefOr<Schema> {
    text().pattern(Some("^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")).examples([json!(example)]).into()
}

fn number(maximum: Option<i64>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer)).minimum(Some(1)).maximum(maximum)
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn lenient(meaningful: ObjectBuilder, default: impl Into<Option<Value>>) -> RefOr<Schema> {
    meaningful.default(default.into()).into()
}

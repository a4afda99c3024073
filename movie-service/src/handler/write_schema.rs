//! Bodies of writes.

use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type},
    },
};

use super::request_validation::number;
use crate::models::locks::LOCKABLE;

/// A field of a body: left out, null, or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum PatchField<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> From<Option<T>> for PatchField<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PatchField<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PatchField<i64>, D::Error> {
    number::integer(deserializer).map(PatchField::from)
}

fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PatchField<f64>, D::Error> {
    number::float(deserializer).map(PatchField::from)
}

/// Some fields of a movie. What is left out stays, and null resets.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct MoviePatch {
    /// Not blank, nor made of invisible characters only. No text holds a NUL.
    #[serde(default)]
    #[schema(
        value_type = String,
        required = false,
        example = "The Example",
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\u0000]*[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb][^\u0000]*$"
    )]
    pub(super) title: PatchField<String>,
    /// Its title in its own language.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "The Matrix", max_length = 500, pattern = r"^[^\u0000]*$")]
    pub(super) original_title: PatchField<String>,
    /// What it is about.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "A hacker wakes up.", max_length = 10000, pattern = r"^[^\u0000]*$")]
    pub(super) overview: PatchField<String>,
    /// `YYYY-MM-DD`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "1999-03-31", pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
    pub(super) release_date: PatchField<String>,
    /// Names, in any case, or ids of genres that there are.
    #[serde(default)]
    #[schema(value_type = Option<Vec<GenreNameOrId>>, example = json!(["Action", "Science Fiction"]), max_items = 20)]
    pub(super) genres: PatchField<Vec<Option<GenreNameOrId>>>,
    /// The original language (ISO 639); kept in lower case.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "en", pattern = "^([A-Za-z]{2,3})?$")]
    pub(super) language: PatchField<String>,
    /// Minutes.
    #[serde(default, deserialize_with = "integer")]
    #[schema(value_type = Option<i64>, example = 136, minimum = 0, maximum = 2147483647)]
    pub(super) duration: PatchField<i64>,
    /// TMDB's popularity.
    #[serde(default, deserialize_with = "float")]
    #[schema(value_type = Option<f64>, example = 85.3, minimum = 0)]
    pub(super) popularity: PatchField<f64>,
    /// The average vote. It shows, and counts, only together with a `vote_count`.
    #[serde(default, deserialize_with = "float")]
    #[schema(value_type = Option<f64>, example = 8.2, minimum = 0, maximum = 10)]
    pub(super) vote_average: PatchField<f64>,
    /// How many voted.
    #[serde(default, deserialize_with = "integer")]
    #[schema(value_type = Option<i64>, example = 26000, minimum = 0, maximum = 2147483647)]
    pub(super) vote_count: PatchField<i64>,
    /// The address at TMDB's image server, or the path there.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "/poster.jpg", pattern = r"^((https://image\.tmdb\.org/t/p/w500)?/[A-Za-z0-9._-]{1,199})?$")]
    pub(super) poster_url: PatchField<String>,
    /// The address at TMDB's image server, or the path there.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "/backdrop.jpg", pattern = r"^((https://image\.tmdb\.org/t/p/w780)?/[A-Za-z0-9._-]{1,199})?$")]
    pub(super) backdrop_url: PatchField<String>,
    /// Its id at TMDB, unique. Left out, it stays.
    #[serde(default, deserialize_with = "integer")]
    #[schema(value_type = Option<i64>, example = 603, minimum = 1, maximum = 2147483647)]
    pub(super) tmdb_id: PatchField<i64>,
    /// The fields that a sync leaves alone from now on; left out, those that a PATCH names or a PUT changes are added.
    #[serde(default)]
    #[schema(schema_with = locked_fields)]
    pub(super) locked_fields: PatchField<Vec<Option<String>>>,
}

/// A movie. What is left out, or null, is unknown; an empty text and a `duration` of 0 mean the same.
#[derive(Debug, Deserialize)]
pub struct MovieBody(pub(super) MoviePatch);

impl PartialSchema for MovieBody {
    fn schema() -> RefOr<Schema> {
        let mut schema = MoviePatch::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.push("title".to_owned());
            let text =
                "A movie. What is left out, or null, is unknown; an empty text and a `duration` of 0 mean the same.";
            object.description = Some(text.to_owned());
        }
        schema
    }
}

impl ToSchema for MovieBody {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        MoviePatch::schemas(schemas);
    }
}

/// The name of a genre in any case, or its id.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[schema(example = "Action")]
#[serde(untagged)]
pub(super) enum GenreNameOrId {
    Id(#[serde(deserialize_with = "genre_id")] i64),
    Name(String),
}

/// A whole number, also one written as `5.0`.
fn genre_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let id = f64::deserialize(deserializer)?;
    if id.fract() == 0.0 { Ok(id as i64) } else { Err(serde::de::Error::custom("not a whole number")) }
}

fn locked_fields() -> Schema {
    let name = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).enum_values(Some(LOCKABLE)).build();
    let description = "The fields that a sync leaves alone from now on; left out, those that a PATCH names or a PUT changes are added.";
    let types = SchemaType::from_iter([Type::Array, Type::Null]);
    let list = ArrayBuilder::new().schema_type(types).items(name).description(Some(description));
    list.examples([json!(["overview"])]).into()
}

//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! Query strings, read into structs that derive `Deserialize` and `IntoParams`. Each field says how it is read:
//! `#[serde(deserialize_with = "query::strict")]` or `"query::lenient"`, on a struct with `#[serde(default)]`.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};
use percent_encoding::percent_decode_str;
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{SeqDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::{error::ApiError, error_code::ErrorCode};

/// The parameters of a query string. Rejected with 400 `invalid <name>, expected <what it may be>`, naming the parameter.
#[derive(Debug, Clone, Copy)]
pub struct ValidQuery<T>(pub T);

/// All parameters of a route: one struct, or a tuple of structs.
pub trait QueryParameters: DeserializeOwned {
    /// The parameters that the original of the platform knew, on the routes that it had; `None` on newer routes.
    ///
    /// The original ignored unknown parameters, and its clients may send some. A newer route refuses them, as a misspelt
    /// filter would go unnoticed. On a route of the original they are refused when the query also has a parameter that
    /// is newer, or when they differ from a newer one by at most one character in five.
    const ORIGINAL: Option<&'static [&'static str]> = None;
}

/// The type of a parameter that is read strictly.
pub trait Parameter: Sized {
    /// The code of the error.
    const CODE: ErrorCode = ErrorCode::InvalidParameter;
    /// What it may be, to follow "expected".
    const EXPECTED: &'static str;

    /// `None` for a text that cannot be meant.
    fn parse(text: &str) -> Option<Self>;
}

/// Reads a parameter that is left out or right: repeated, not well-formed (escapes, UTF-8, NUL) and wrong are errors.
///
/// # Errors
/// With the code and the description of `T`.
pub fn strict<'de, T: Parameter, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let error = |code: ErrorCode, expected: &str| de::Error::custom(format_args!("{code} {expected}"));
    match &*Vec::<Option<String>>::deserialize(deserializer)? {
        [] => Ok(None),
        // What was not UTF-8 has been replaced.
        [value] => value
            .as_deref()
            .filter(|text| !text.contains(['\0', char::REPLACEMENT_CHARACTER]))
            .and_then(T::parse)
            .map(Some)
            .ok_or_else(|| error(T::CODE, T::EXPECTED)),
        _ => Err(error(ErrorCode::RepeatedParameter, "it only once")),
    }
}

/// Reads the first well-formed value of a parameter; `None` when there is none, or `T` has no value for it.
///
/// # Errors
/// Never for a query string.
pub fn lenient<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let values = Vec::<Option<String>>::deserialize(deserializer)?;
    Ok(values.into_iter().flatten().next().and_then(|text| text.parse().ok()))
}

impl<S: Send + Sync, T: QueryParameters> FromRequestParts<S> for ValidQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parse_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Reads a raw query string.
///
/// # Errors
/// 400, for the first parameter that is wrong, in the order of the fields, or else the first unknown one.
pub fn parse_query<T: QueryParameters>(query: &str) -> Result<T, ApiError> {
    let mut query = Query { pairs: pairs(query), known: Vec::new() };
    let parameters = T::deserialize(&mut query)?;
    query.refuse_unknown(T::ORIGINAL)?;
    Ok(parameters)
}

/// A decoded query string.
struct Query<'a> {
    /// Names with their values; `None` for a value that is not well-formed.
    pairs: Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>,
    /// The fields of the structs that were read.
    known: Vec<&'static str>,
}

/// The pairs of a raw query string; those whose names are empty or not well-formed are left out.
fn pairs(query: &str) -> Vec<(Cow<'_, str>, Option<Cow<'_, str>>)> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter_map(|(name, value)| Some((decode(name).filter(|name| !name.is_empty())?, decode(value)))).collect()
}

/// Undoes form encoding. `None` for a `%` that is not followed by two hexadecimal digits, or for a raw `;`.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    let escapes_complete = text.split('%').skip(1).all(|rest| {
        let rest = rest.as_bytes();
        rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit)
    });
    if !escapes_complete || text.contains(';') {
        return None;
    }
    if !text.contains('+') {
        return Some(percent_decode_str(text).decode_utf8_lossy());
    }
    Some(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned().into())
}

impl Query<'_> {
    /// The rule is said at [`QueryParameters::ORIGINAL`].
    fn refuse_unknown(&self, original: Option<&[&str]>) -> Result<(), ApiError> {
        let is_newer = |name: &str| original.is_none_or(|original| !original.contains(&name));
        let is_known = |name: &str| self.known.contains(&name);
        let names = || self.pairs.iter().map(|(name, _)| name.as_ref());
        let refuse_all = original.is_none() || names().any(|name| is_known(name) && is_newer(name));
        for name in names().filter(|name| !is_known(name)) {
            let Some(nearest) = nearest(name, &self.known) else { continue };
            if refuse_all || (is_newer(nearest) && strsim::levenshtein(name, nearest) <= nearest.len() / 5) {
                return Err(unknown_parameter(name, nearest));
            }
        }
        Ok(())
    }
}

/// Longest unknown name that is compared and shown.
const MAX_NAME_CHARS: usize = 50;

fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let name: String = name.chars().take(MAX_NAME_CHARS).collect();
    known.iter().copied().min_by_key(|known| strsim::levenshtein(&name, known))
}

fn unknown_parameter(name: &str, nearest: &str) -> ApiError {
    let name: String = name.chars().take(MAX_NAME_CHARS).collect();
    let message = format!("unknown parameter {name}, the nearest known one is {nearest}");
    ApiError::bad_request(ErrorCode::UnknownParameter, message).field(name)
}

/// Why a parameter cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {reason}")]
struct QueryError {
    name: &'static str,
    /// `<code> <what is expected>`: all that an error can carry through serde is a text.
    reason: String,
}

impl de::Error for QueryError {
    fn custom<T: Display>(reason: T) -> Self {
        Self { name: "", reason: reason.to_string() }
    }
}

impl From<QueryError> for ApiError {
    fn from(QueryError { name, reason }: QueryError) -> Self {
        let (code, expected) = reason.split_once(' ').unwrap_or_default();
        let code: Result<_, de::value::Error> = ErrorCode::deserialize(code.into_deserializer());
        let code = code.unwrap_or(ErrorCode::InvalidParameter);
        Self::bad_request(code, format!("invalid {name}, expected {expected}")).field(name)
    }
}

/// Reads a struct from the pairs named like its fields, or each struct of a tuple.
impl<'de, 'a: 'de> Deserializer<'de> for &mut Query<'a> {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        Err(de::Error::invalid_type(de::Unexpected::Map, &visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_seq(Structs(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        self.known.extend(fields);
        visitor.visit_map(Fields { query: self, names: fields.iter(), current: "" })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple_struct map enum identifier ignored_any
    }
}

/// The structs of a tuple.
struct Structs<'q, 'a>(&'q mut Query<'a>);

impl<'de, 'a: 'de> SeqAccess<'de> for Structs<'_, 'a> {
    type Error = QueryError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, QueryError> {
        seed.deserialize(&mut *self.0).map(Some)
    }
}

/// The fields of a struct, each with all its values.
struct Fields<'q, 'a> {
    query: &'q Query<'a>,
    names: std::slice::Iter<'static, &'static str>,
    current: &'static str,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = QueryError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, QueryError> {
        let is_given = |wanted: &&&str| self.query.pairs.iter().any(|(name, _)| name == **wanted);
        let Some(name) = self.names.find(is_given) else { return Ok(None) };
        self.current = name;
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, QueryError> {
        let pairs = self.query.pairs.iter().filter(|(name, _)| name == self.current);
        let values = pairs.map(|(_, value)| Value(value.as_deref()));
        seed.deserialize(SeqDeserializer::new(values))
            .map_err(|error: QueryError| QueryError { name: self.current, ..error })
    }
}

/// A value, `None` when it is not well-formed.
struct Value<'a>(Option<&'a str>);

impl<'de> IntoDeserializer<'de, QueryError> for Value<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.0 {
            Some(text) => visitor.visit_some(StrDeserializer::new(text)),
            None => visitor.visit_none(),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Digit(u8);

    impl Parameter for Digit {
        const EXPECTED: &'static str = "a digit";

        fn parse(text: &str) -> Option<Self> {
            text.parse().ok().filter(|digit| *digit < 10).map(Self)
        }
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Page {
        #[serde(deserialize_with = "lenient")]
        page: Option<i64>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Filter {
        #[serde(deserialize_with = "strict")]
        with_digit: Option<Digit>,
        #[serde(deserialize_with = "strict")]
        without_digit: Option<Digit>,
    }

    impl QueryParameters for Filter {}

    impl QueryParameters for (Filter, Page) {
        const ORIGINAL: Option<&'static [&'static str]> = Some(&["page"]);
    }

    fn digit(query: &str) -> Result<Option<u8>, ApiError> {
        Ok(parse_query::<Filter>(query)?.with_digit.map(|digit| digit.0))
    }

    fn page(query: &str) -> Option<i64> {
        parse_query::<(Filter, Page)>(query).expect(query).1.page
    }

    #[test]
    fn a_strict_parameter_is_left_out_or_right() {
        assert_eq!(digit(""), Ok(None));
        assert_eq!(digit("&&=&%zz=1&without_digit=1&with%5Fdigit=%37"), Ok(Some(7)));
        let invalid = ApiError::bad_request(ErrorCode::InvalidParameter, "invalid with_digit, expected a digit");
        for value in ["", "=", "=x", "=%", "=%zz", "=7%00", "=%ff", "=7;", "=10", "=+7%20"] {
            assert_eq!(digit(&format!("with_digit{value}")), Err(invalid.clone().field("with_digit")), "{value}");
        }
        let repeated = ApiError::bad_request(ErrorCode::RepeatedParameter, "invalid with_digit, expected it only once");
        assert_eq!(digit("with_digit=7&with%5fdigit=7"), Err(repeated.field("with_digit")));
    }

    #[test]
    fn of_a_lenient_parameter_the_first_well_formed_value_counts() {
        for (query, value) in
            [("page=3&page=4", Some(3)), ("page=&page=4", None), ("page=%zz&page=4", Some(4)), ("p%61ge=%2B3", Some(3))]
        {
            assert_eq!(page(query), value, "{query}");
        }
        for query in ["", "page", "page=", "page=x", "page=1.5", "page=%ff", "page=99999999999999999999", "Page=7"] {
            assert_eq!(page(query), None, "{query}");
        }
    }

    #[test]
    fn a_newer_route_refuses_unknown_parameters() {
        for (name, nearest) in [("with_digits", "with_digit"), ("x", "with_digit"), ("withoutdigit", "without_digit")] {
            assert_eq!(digit(&format!("{name}=1")), Err(unknown_parameter(name, nearest)));
        }
        let long = "x".repeat(10_000);
        assert!(digit(&long).is_err_and(|error| format!("{error:?}").len() < 300));
    }

    #[test]
    fn a_route_of_the_original_refuses_them_beside_newer_ones_and_when_they_are_near_one() {
        let refused = |query: &str| parse_query::<(Filter, Page)>(query).err();
        for query in ["utm=1", "Page=7", "pages=2", "digit=1", "page=1&x"] {
            assert_eq!(refused(query), None, "{query}");
        }
        assert_eq!(refused("page=1&with_digits=1"), Some(unknown_parameter("with_digits", "with_digit")));
        assert_eq!(refused("with.digit=1"), Some(unknown_parameter("with.digit", "with_digit")));
        assert_eq!(refused("pages=2&with_digit=1"), Some(unknown_parameter("pages", "page")));
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in "[ -~]{0,80}|(page|with_digit)=\\PC{0,20}") {
            let _ = parse_query::<(Filter, Page)>(&query);
        }

        #[test]
        fn every_page_number_is_read(number: i64) {
            prop_assert_eq!(page(&format!("page={number}")), Some(number));
        }
    }
}

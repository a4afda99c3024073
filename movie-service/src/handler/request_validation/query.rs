//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! Query strings, read into structs that derive `Deserialize` and `IntoParams`, on which `#[serde(default)]` stands. Each
//! field has a `deserialize_with`: [`lenient`], or a function that calls [`strict`].

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    iter::repeat_n,
    str::FromStr,
};

use axum::{extract::FromRequestParts, http::request::Parts};
use percent_encoding::percent_decode_str;
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeOwned, IntoDeserializer, Visitor,
        value::{BorrowedStrDeserializer, Error, MapDeserializer, SeqDeserializer},
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
    /// Parameters that are known, but make no difference.
    const IGNORED: &'static [&'static str] = &[];
}

/// Reads a parameter that is left out or right: repeated, not well-formed (escapes, UTF-8, NUL) and wrong are errors.
/// `expected` says what it may be, to follow "expected"; `parse` gives `None` for a text that cannot be meant.
///
/// # Errors
/// With the code `invalid_parameter` or `repeated_parameter`.
pub fn strict<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, D::Error> {
    match *Vec::<&str>::deserialize(deserializer)? {
        [] => Ok(None),
        // What was not UTF-8 has been replaced.
        [text] if text.contains(['\0', char::REPLACEMENT_CHARACTER]) => {
            Err(invalid(ErrorCode::InvalidParameter, expected))
        }
        [text] => parse(text).map(Some).ok_or_else(|| invalid(ErrorCode::InvalidParameter, expected)),
        _ => Err(invalid(ErrorCode::RepeatedParameter, "it only once")),
    }
}

/// Reads the first well-formed value of a parameter; `None` when there is none, or `T` has no value for it.
///
/// # Errors
/// Never for a query string.
pub fn lenient<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let values = Vec::<&str>::deserialize(deserializer)?;
    Ok(values.into_iter().find(|text| *text != MALFORMED).and_then(|text| text.parse().ok()))
}

/// Why a parameter cannot be used. All that an error can carry through serde is a text.
pub fn invalid<E: de::Error>(code: ErrorCode, expected: &str) -> E {
    E::custom(format_args!("{code} {expected}"))
}

/// 400 for a parameter with a value that it cannot have.
pub fn invalid_parameter(name: &'static str, code: ErrorCode, expected: &str) -> ApiError {
    ApiError::bad_request(code, format!("invalid {name}, expected {expected}")).field(name)
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
    let pairs = pairs(query);
    let query = Query { pairs: &pairs, current: Cell::new(""), known: RefCell::new(T::IGNORED.to_vec()) };
    let parameters = T::deserialize(&query).map_err(|error| {
        let error = error.to_string();
        let (code, expected) = error.split_once(' ').unwrap_or_default();
        let code = ErrorCode::deserialize(IntoDeserializer::<Error>::into_deserializer(code));
        invalid_parameter(query.current.get(), code.unwrap_or(ErrorCode::InvalidParameter), expected)
    })?;
    refuse_unknown(&pairs, &query.known.into_inner(), T::ORIGINAL)?;
    Ok(parameters)
}

/// Stands for a value that is not well-formed.
const MALFORMED: &str = "\0";

/// A name and a value, decoded.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs of a raw query string; those whose names are empty or not well-formed are left out.
fn pairs(query: &str) -> Vec<Pair<'_>> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decoded = pairs.filter_map(|(name, value)| Some((decode(name)?, decode(value).unwrap_or(MALFORMED.into()))));
    decoded.filter(|(name, _)| !name.is_empty()).collect()
}

/// Undoes form encoding. `None` for a `%` that is not followed by two hexadecimal digits, or for a raw `;`.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+', ';']) {
        return Some(text.into());
    }
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if text.contains(';') || !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    Some(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned().into())
}

/// The rule is said at [`QueryParameters::ORIGINAL`].
fn refuse_unknown(pairs: &[Pair<'_>], known: &[&str], original: Option<&[&str]>) -> Result<(), ApiError> {
    let is_known = |name: &str| known.contains(&name);
    let is_newer = |name: &str| original.is_none_or(|original| !original.contains(&name));
    let refuse_all = original.is_none() || pairs.iter().any(|(name, _)| is_known(name) && is_newer(name));
    for (name, _) in pairs.iter().filter(|(name, _)| !is_known(name)) {
        // Longer ones are neither compared nor shown.
        let name: String = name.chars().take(50).collect();
        let distance = |known: &&&str| strsim::levenshtein(&name, known);
        let Some(nearest) = known.iter().min_by_key(distance) else { continue };
        if refuse_all || (is_newer(nearest) && distance(&nearest) <= nearest.len() / 5) {
            return Err(unknown_parameter(&name, nearest));
        }
    }
    Ok(())
}

fn unknown_parameter(name: &str, nearest: &str) -> ApiError {
    let message = format!("unknown parameter {name}, the nearest known one is {nearest}");
    ApiError::bad_request(ErrorCode::UnknownParameter, message).field(name.to_owned())
}

/// Reads a struct from the pairs named like its fields, each field from the sequence of its values, or each struct of a
/// tuple.
struct Query<'a> {
    pairs: &'a [Pair<'a>],
    /// The field that is being read.
    current: Cell<&'static str>,
    /// The fields of the structs that were read.
    known: RefCell<Vec<&'static str>>,
}

impl<'de> Deserializer<'de> for &Query<'de> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.known.borrow_mut().extend(fields);
        let pairs = self.pairs;
        let given = fields.iter().copied().filter(|field| pairs.iter().any(|(name, _)| name == field));
        visitor.visit_map(MapDeserializer::new(given.inspect(|field| self.current.set(field)).map(|field| {
            let values = pairs.iter().filter(move |(name, _)| name == field);
            (field, SeqDeserializer::new(values.map(|(_, value)| BorrowedStrDeserializer::new(value))))
        })))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(repeat_n(self, length)))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        Err(de::Error::invalid_type(de::Unexpected::Map, &visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple_struct map enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de> for &Query<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_digit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
        strict(deserializer, "a digit", |text| text.parse().ok().filter(|digit| *digit < 10))
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
        #[serde(deserialize_with = "a_digit")]
        with_digit: Option<u8>,
        #[serde(deserialize_with = "a_digit")]
        without_digit: Option<u8>,
    }

    impl QueryParameters for Filter {}

    impl QueryParameters for (Filter, Page) {
        const ORIGINAL: Option<&'static [&'static str]> = Some(&["page"]);
    }

    fn digit(query: &str) -> Result<Option<u8>, ApiError> {
        Ok(parse_query::<Filter>(query)?.with_digit)
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

//! Reading a query string: leniently, as clients of the platform are used to, or strictly.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::error_code::ErrorCode;

/// A parameter with a value that it cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidParameter {
    /// The parameter.
    pub name: &'static str,
    /// Stable, for programs.
    pub code: ErrorCode,
    /// What it may be, to follow "expected".
    pub expected: &'static str,
}

impl InvalidParameter {
    /// A date filter that is not a date.
    pub fn date(name: &'static str) -> Self {
        Self { name, code: ErrorCode::InvalidDate, expected: "YYYY-MM-DD" }
    }

    /// Something else than the `next_cursor` of the same query.
    pub fn cursor() -> Self {
        Self { name: "cursor", code: ErrorCode::InvalidCursor, expected: "the next_cursor of the same query" }
    }

    pub(super) fn value(name: &'static str, expected: &'static str) -> Self {
        Self { name, code: ErrorCode::InvalidParameter, expected }
    }

    fn repeated(name: &'static str) -> Self {
        Self { name, code: ErrorCode::RepeatedParameter, expected: "it only once" }
    }
}

/// The value of a parameter that is read strictly, or `None` when it is left out.
///
/// # Errors
/// [`InvalidParameter`] when it is repeated, not well-formed (escapes, UTF-8, NUL), or `parse` has no value for it.
pub(super) fn strict<T>(
    query: &str,
    name: &'static str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, InvalidParameter> {
    let mut values = values(query, name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(InvalidParameter::repeated(name));
    }
    // What is not UTF-8 would have been replaced.
    let value = value.filter(|value| !value.contains(['\0', char::REPLACEMENT_CHARACTER]));
    value.and_then(|value| parse(&value)).map(Some).ok_or(InvalidParameter::value(name, expected))
}

/// The first value of a parameter, decoded. A pair that is not well-formed is passed over, as the platform always did.
pub(super) fn first_value(query: &str, name: &str) -> Option<String> {
    values(query, name).flatten().next()
}

/// The values of a parameter, each decoded or `None` when it is not well-formed.
pub(super) fn values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = Option<String>> + 'a {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(move |(key, _)| decode(key).is_some_and(|key| key == name))
        .map(|(_, value)| decode(value).map(Cow::into_owned))
}

/// Undoes form encoding. `None` for a `%` that is not followed by two hexadecimal digits, or for a raw `;`.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    // Most keys and values need no decoding, and each key is looked at for each parameter.
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+' | b';')) {
        return Some(text.into());
    }
    let escapes_complete = text.split('%').skip(1).all(|rest| {
        let rest = rest.as_bytes();
        rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit)
    });
    if !escapes_complete || text.contains(';') {
        return None;
    }
    Some(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(query: &str) -> Result<Option<u8>, InvalidParameter> {
        strict(query, "n", "a number", |text| text.parse().ok())
    }

    #[test]
    fn a_strict_parameter_is_left_out_or_right() {
        assert_eq!(number(""), Ok(None));
        assert_eq!(number("N=7&m=n"), Ok(None));
        assert_eq!(number("m=1&%6e=%37"), Ok(Some(7)));
        for query in ["n", "n=", "n=x", "n=%", "n=%zz", "n=7%00", "n=%ff", "n=7;", "n=256"] {
            assert_eq!(number(query), Err(InvalidParameter::value("n", "a number")), "{query}");
        }
        assert_eq!(number("n=7&%6E=7"), Err(InvalidParameter::repeated("n")));
    }
}

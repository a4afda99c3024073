//! Reads a JSON object field by field: unknown fields are ignored, a null counts as left out, and of fields with the
//! same name the last one counts.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Deepest nesting of arrays and objects.
const MAX_DEPTH: usize = 127;

/// Not one JSON object with values of the right types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid request body")]
pub struct InvalidBody;

impl From<serde_json::Error> for InvalidBody {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

/// What is filled from the fields of an object.
pub trait Fields: Default {
    /// Takes one field; a name that means nothing is ignored.
    ///
    /// # Errors
    /// [`InvalidBody`] when the value has the wrong type.
    fn take(&mut self, name: &str, value: &RawValue) -> Result<(), InvalidBody>;
}

/// Reads a whole body.
///
/// # Errors
/// [`InvalidBody`] for anything but one object of the right types.
pub fn parse<T: Fields>(body: &[u8]) -> Result<T, InvalidBody> {
    let text = std::str::from_utf8(body).map_err(|_| InvalidBody)?;
    if is_too_deep(text) {
        return Err(InvalidBody);
    }
    let object: Object<'_> = serde_json::from_str(text)?;
    let mut fields = T::default();
    for (name, value) in object.0 {
        fields.take(&name, value)?;
    }
    Ok(fields)
}

/// Puts a value into its place; a null changes nothing.
///
/// # Errors
/// [`InvalidBody`] when the value has another type.
pub fn put<T: DeserializeOwned>(place: &mut Option<T>, value: &RawValue) -> Result<(), InvalidBody> {
    if let Some(value) = serde_json::from_str(value.get())? {
        *place = Some(value);
    }
    Ok(())
}

/// Puts a whole number into its place; one that does not fit becomes the largest or smallest that does, so that its
/// range can be judged with that of the others.
///
/// # Errors
/// [`InvalidBody`] for anything that is not written as a whole number.
pub fn put_integer(place: &mut Option<i64>, value: &RawValue) -> Result<(), InvalidBody> {
    let Some(text) = number(value)? else { return Ok(()) };
    if text.contains(['.', 'e', 'E']) {
        return Err(InvalidBody);
    }
    let nearest = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    *place = Some(text.parse().unwrap_or(nearest));
    Ok(())
}

/// Puts a number into its place; one that is too large becomes infinite.
///
/// # Errors
/// [`InvalidBody`] for anything that is not a number.
pub fn put_float(place: &mut Option<f64>, value: &RawValue) -> Result<(), InvalidBody> {
    if let Some(text) = number(value)? {
        *place = Some(text.parse().map_err(|_| InvalidBody)?);
    }
    Ok(())
}

/// The text of a number, or `None` for a null.
fn number(value: &RawValue) -> Result<Option<&str>, InvalidBody> {
    match value.get() {
        "null" => Ok(None),
        text if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => Ok(Some(text)),
        _ => Err(InvalidBody),
    }
}

/// Whether arrays and objects are nested too deep; only brackets outside of strings count.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// The fields of an object, in their order.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor).map(Self)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = map.next_entry::<Name<'de>, &RawValue>()? {
            fields.push((entry.0.0, entry.1));
        }
        Ok(fields)
    }
}

/// A name, borrowed unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Sample {
        text: Option<String>,
        integer: Option<i64>,
        float: Option<f64>,
    }

    impl Fields for Sample {
        fn take(&mut self, name: &str, value: &RawValue) -> Result<(), InvalidBody> {
            match name {
                "text" => put(&mut self.text, value),
                "integer" => put_integer(&mut self.integer, value),
                "float" => put_float(&mut self.float, value),
                _ => Ok(()),
            }
        }
    }

    fn sample(body: &str) -> Result<Sample, InvalidBody> {
        parse(body.as_bytes())
    }

    fn text(value: &str) -> Result<Sample, InvalidBody> {
        Ok(Sample { text: Some(value.to_owned()), ..Sample::default() })
    }

    #[test]
    fn of_fields_with_the_same_name_the_last_one_counts() {
        assert_eq!(sample(r#"{"text":"a","text":"b"}"#), text("b"));
        assert_eq!(sample(r#"{"text":"a","\u0074ext":"b"}"#), text("b"));
        assert_eq!(sample(r#"{"text":"a","text":null}"#), text("a"));
        assert_eq!(sample(r#"{"text":1,"text":"b"}"#), Err(InvalidBody));
    }

    #[test]
    fn unknown_fields_are_ignored_and_nulls_count_as_left_out() {
        let body = r#" {"other":[1e999,{"text":"x"}],"text":null,"integer":null,"float":null,"Text":"x"} "#;
        assert_eq!(sample(body), Ok(Sample::default()));
    }

    #[test]
    fn anything_but_one_object_of_the_right_types_is_invalid() {
        let bodies = [
            "",
            " ",
            "null",
            "[]",
            "\"a\"",
            "1",
            "{",
            "{}{}",
            "{} x",
            "\u{feff}{}",
            r#"{"text":1}"#,
            r#"{"text":["a"]}"#,
            r#"{"text":"\ud800"}"#,
            r#"{"\ud800":1}"#,
            r#"{"text":"a"#,
            r#"{'text':'a'}"#,
            r#"{"text":"a",}"#,
            "{\"text\":\"a\nb\"}",
            r#"{"integer":1.0}"#,
            r#"{"integer":1e3}"#,
            r#"{"integer":"1"}"#,
            r#"{"integer":01}"#,
            r#"{"integer":+1}"#,
            r#"{"float":NaN}"#,
            r#"{"float":"5"}"#,
            r#"{"float":true}"#,
            r#"{"float":.5}"#,
        ];
        for body in bodies {
            assert_eq!(sample(body), Err(InvalidBody), "{body}");
        }
        for bytes in [b"\xc0\x80".as_slice(), b"{\"text\":\"\xed\xa0\x80\"}", b"{\"x\":\"\xf8\"}"] {
            assert_eq!(parse::<Sample>(bytes), Err(InvalidBody));
        }
    }

    #[test]
    fn numbers_of_any_size_are_read() {
        let integer = |text: &str| sample(&format!(r#"{{"integer":{text}}}"#)).map(|sample| sample.integer);
        assert_eq!(integer("-7"), Ok(Some(-7)));
        assert_eq!(integer(&"9".repeat(400)), Ok(Some(i64::MAX)));
        assert_eq!(integer(&format!("-{}", "9".repeat(400))), Ok(Some(i64::MIN)));
        let float = |text: &str| sample(&format!(r#"{{"float":{text}}}"#)).map(|sample| sample.float);
        assert_eq!(float("7"), Ok(Some(7.0)));
        assert_eq!(float("-1e309"), Ok(Some(f64::NEG_INFINITY)));
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(sample(&nested(126)).is_ok());
        assert_eq!(sample(&nested(127)), Err(InvalidBody));
        assert_eq!(sample(&nested(10_000)), Err(InvalidBody));
        assert!(sample(&format!(r#"{{"x":"\"{}"}}"#, "[".repeat(1000))).is_ok(), "brackets in strings do not count");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in any::<Vec<u8>>()) {
            let _ = parse::<Sample>(&body);
        }

        #[test]
        fn what_was_serialised_is_read_back(string in any::<String>(), integer in any::<i64>(), float in -1e300..1e300) {
            let body = serde_json::json!({ "text": string, "integer": integer, "float": float }).to_string();
            let expected = Sample { text: Some(string), integer: Some(integer), float: Some(float) };
            prop_assert_eq!(sample(&body), Ok(expected));
        }
    }
}

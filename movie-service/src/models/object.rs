//! Reads a JSON object field by field. Unknown fields are ignored; of fields with the same name the last one counts.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Not one JSON object with values of the right types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid request body")]
pub struct InvalidBody;

impl From<serde_json::Error> for InvalidBody {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

/// A field of a body: left out, null, or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Given<T> {
    /// It is not there.
    #[default]
    Absent,
    /// It is null.
    Null,
    /// It has a value.
    Value(T),
}

impl<T> Given<T> {
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Null => Given::Null,
            Self::Value(value) => Given::Value(change(value)),
        }
    }
}

/// The fields of a whole body in their order.
pub(super) fn fields(body: &[u8]) -> Result<Vec<(Cow<'_, str>, &RawValue)>, InvalidBody> {
    let object: Object<'_> = serde_json::from_slice(body)?;
    Ok(object.0)
}

/// A value of any type that serde knows.
pub(super) fn value<T: DeserializeOwned>(value: &RawValue) -> Result<Given<T>, InvalidBody> {
    Ok(serde_json::from_str::<Option<T>>(value.get())?.map_or(Given::Null, Given::Value))
}

/// A whole number; one that does not fit becomes the largest or smallest that does, so that its range can be judged with
/// that of the others.
pub(super) fn integer(value: &RawValue) -> Result<Given<i64>, InvalidBody> {
    match number(value)? {
        Given::Value(text) if text.contains(['.', 'e', 'E']) => Err(InvalidBody),
        given => Ok(given.map(nearest)),
    }
}

/// A number; one that is too large becomes infinite.
pub(super) fn float(value: &RawValue) -> Result<Given<f64>, InvalidBody> {
    match number(value)? {
        Given::Value(text) => text.parse().map(Given::Value).map_err(|_| InvalidBody),
        given => Ok(given.map(|_| 0.0)),
    }
}

/// The whole number that `text`, which is one, stands for, or the nearest that there is.
fn nearest(text: &str) -> i64 {
    text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX })
}

/// The text of a number.
fn number(value: &RawValue) -> Result<Given<&str>, InvalidBody> {
    match value.get() {
        "null" => Ok(Given::Null),
        text if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => Ok(Given::Value(text)),
        _ => Err(InvalidBody),
    }
}

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
    use super::*;

    fn first<T>(
        body: &str,
        read: impl Fn(&RawValue) -> Result<Given<T>, InvalidBody>,
    ) -> Result<Given<T>, InvalidBody> {
        read(fields(body.as_bytes())?[0].1)
    }

    #[test]
    fn anything_but_one_object_is_invalid() {
        for body in ["", " ", "null", "[]", "\"a\"", "1", "{", "{}{}", "{} x", "\u{feff}{}", "{\"a\":1,}", "{'a':1}"] {
            assert_eq!(fields(body.as_bytes()).err(), Some(InvalidBody), "{body}");
        }
        for body in [b"\xc0\x80".as_slice(), b"{\"a\":\"\xed\xa0\x80\"}", b"{\"a\":\"\xf8\"}", b"{\"\\ud800\":1}"] {
            assert_eq!(fields(body).err(), Some(InvalidBody));
        }
        assert_eq!(fields(b" {} ").map(|fields| fields.len()), Ok(0));
    }

    #[test]
    fn whole_numbers_of_any_size_are_read_and_nothing_else() {
        let read = |text: &str| first(&format!("{{\"a\":{text}}}"), integer);
        assert_eq!(read("-7"), Ok(Given::Value(-7)));
        assert_eq!(read("null"), Ok(Given::Null));
        assert_eq!(read(&"9".repeat(400)), Ok(Given::Value(i64::MAX)));
        assert_eq!(read(&format!("-{}", "9".repeat(400))), Ok(Given::Value(i64::MIN)));
        for text in ["1.0", "1e3", "\"1\"", "true", "[]", "{}", "01", "+1"] {
            assert_eq!(read(text), Err(InvalidBody), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_too_large_are_infinite() {
        let read = |text: &str| first(&format!("{{\"a\":{text}}}"), float);
        assert_eq!(read("7"), Ok(Given::Value(7.0)));
        assert_eq!(read("-1e309"), Ok(Given::Value(f64::NEG_INFINITY)));
        for text in ["NaN", "\"5\"", "true", ".5"] {
            assert_eq!(read(text), Err(InvalidBody), "{text}");
        }
    }

    #[test]
    fn nesting_does_no_harm() {
        let body = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(fields(body.as_bytes()).map(|fields| fields.len()), Ok(1));
    }
}

//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! JSON request bodies, whatever their content type says.

use std::{error::Error, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tower_http::timeout::TimeoutError;

use crate::{error::ApiError, error_code::ErrorCode};

/// Longest time for a whole body, however steadily it arrives.
const BODY_DEADLINE: Duration = Duration::from_secs(20);
/// Deepest nesting of arrays and objects: as in `serde_json`, which has no limit of its own for unknown fields.
const MAX_DEPTH: usize = 127;

/// One JSON object. Unknown fields are ignored; a null counts as left out where the field is an `Option`.
///
/// Rejected with 400 `invalid request body` (naming the field when its type is wrong), 408 or 413.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        parse_json(&read_body(request.into_body()).await?).map(Self)
    }
}

/// Reads a whole body.
///
/// # Errors
/// 408 when it did not arrive in time, 413 when it is too large, 400 when it could not be read at all.
pub async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    match timeout(BODY_DEADLINE, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) => Err(read_error(&error)),
        Err(_) => Err(too_slow()),
    }
}

/// What a failed read of a body is answered with.
pub fn read_error(error: &axum::Error) -> ApiError {
    if caused_by::<LengthLimitError>(error) {
        too_large()
    } else if caused_by::<TimeoutError>(error) {
        too_slow()
    } else {
        invalid_body()
    }
}

/// Reads one JSON object.
///
/// # Errors
/// 400 `invalid request body`, with the path of the field when a value has the wrong type.
pub fn parse_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, ApiError> {
    // Also the text of unknown fields must be UTF-8.
    let json = std::str::from_utf8(json).map_err(|_| invalid_body())?;
    // A struct would also accept its fields as an array.
    if !json.trim_ascii_start().starts_with('{') || is_nested_too_deep(json) {
        return Err(invalid_body());
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let has_field = error.inner().is_data() && error.path().iter().len() > 0;
        if has_field { invalid_body().field(error.path().to_string()) } else { invalid_body() }
    })?;
    deserializer.end().map_err(|_| invalid_body())?;
    Ok(value)
}

/// 400.
pub fn invalid_body() -> ApiError {
    ApiError::bad_request(ErrorCode::InvalidRequestBody, "invalid request body")
}

/// 408.
pub fn too_slow() -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::RequestTimeout, "the request body did not arrive in time")
}

/// 413.
pub fn too_large() -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BodyTooLarge, "request body too large")
}

fn caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(|error| error.is::<E>())
}

/// Brackets inside strings do not count.
fn is_nested_too_deep(json: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::{super::number, *};

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Sample {
        text: Option<String>,
        #[serde(default, deserialize_with = "number::integer")]
        integer: Option<i64>,
        #[serde(default, deserialize_with = "number::float")]
        float: Option<f64>,
        list: Option<Vec<Item>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        name: String,
    }

    fn sample(body: &str) -> Result<Sample, ApiError> {
        parse_json(body.as_bytes())
    }

    #[test]
    fn unknown_fields_are_ignored_and_nulls_count_as_left_out() {
        let body = r#" {"other":[1e999,{"text":"x"}],"text":null,"integer":null,"float":null,"list":null,"Text":"x"} "#;
        assert_eq!(sample(body), Ok(Sample::default()));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_by_its_path() {
        for (body, field) in [
            (r#"{"text":1}"#, "text"),
            (r#"{"text":["a"]}"#, "text"),
            (r#"{"integer":"1"}"#, "integer"),
            (r#"{"integer":1.5}"#, "integer"),
            (r#"{"integer":true}"#, "integer"),
            (r#"{"float":"5"}"#, "float"),
            (r#"{"float":[1]}"#, "float"),
            (r#"{"list":{}}"#, "list"),
            (r#"{"list":[{"name":"a"},{"name":2}]}"#, "list[1].name"),
            (r#"{"list":[{"name":"a"},null]}"#, "list[1]"),
        ] {
            assert_eq!(sample(body), Err(invalid_body().field(field)), "{body}");
        }
    }

    #[test]
    fn anything_but_one_json_object_is_invalid() {
        let bodies = [
            "",
            " ",
            "null",
            "[]",
            r#"["a",1,1.0,[]]"#,
            "\"a\"",
            "1",
            "{",
            "{}{}",
            "{} x",
            "\u{feff}{}",
            r#"{"text":"a","text":"b"}"#,
            r#"{"text":"\ud800"}"#,
            r#"{"\ud800":1}"#,
            r#"{"text":"a"#,
            r#"{'text':'a'}"#,
            r#"{"text":"a",}"#,
            "{\"text\":\"a\nb\"}",
            r#"{"integer":01}"#,
            r#"{"integer":+1}"#,
            r#"{"float":NaN}"#,
            r#"{"float":.5}"#,
        ];
        for body in bodies {
            assert_eq!(sample(body), Err(invalid_body()), "{body}");
        }
        for bytes in [b"{\"text\":\"\xc0\x80\"}".as_slice(), b"{\"text\":\"\xed\xa0\x80\"}", b"{\"x\":\"\xf8\"}"] {
            assert_eq!(parse_json::<Sample>(bytes), Err(invalid_body()));
        }
    }

    #[test]
    fn nesting_has_a_limit_also_in_unknown_fields() {
        let nested = |depth: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(sample(&nested(126)).is_ok());
        assert_eq!(sample(&nested(127)), Err(invalid_body()));
        assert_eq!(sample(&nested(10_000)), Err(invalid_body()));
        assert!(sample(&format!(r#"{{"x":"\"{}"}}"#, "[".repeat(1000))).is_ok(), "brackets in strings do not count");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in any::<Vec<u8>>()) {
            let _ = parse_json::<Sample>(&body);
        }

        #[test]
        fn what_was_serialised_is_read_back(text in any::<String>(), integer in any::<i64>(), float in -1e300..1e300) {
            let body = serde_json::json!({ "text": text, "integer": integer, "float": float }).to_string();
            let expected = Sample { text: Some(text), integer: Some(integer), float: Some(float), list: None };
            prop_assert_eq!(sample(&body), Ok(expected));
        }
    }
}

//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! Numbers of any size in JSON: one that does not fit is still a number, and the check of its range names the field.
//! For fields with `#[serde(default, deserialize_with = "number::integer")]`.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

/// Reads a whole number, also one written as `5.0` or `5e0`; one that does not fit becomes the nearest that does.
///
/// # Errors
/// For anything but a whole number or a null.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = number(deserializer)? else { return Ok(None) };
    if let Ok(integer) = number.get().parse() {
        return Ok(Some(integer));
    }
    // Too large for an i64, or written with a fraction or an exponent. `as` gives the nearest that fits.
    match number.get().parse::<f64>() {
        Ok(float) if float.is_infinite() || float.fract() == 0.0 => Ok(Some(float as i64)),
        _ => Err(D::Error::custom("not a whole number")),
    }
}

/// Reads a number; one that is too large becomes infinite.
///
/// # Errors
/// For anything but a number or a null.
pub fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let Some(number) = number(deserializer)? else { return Ok(None) };
    number.get().parse().map(Some).map_err(|_| D::Error::custom("not a number"))
}

/// The text of a number, or `None` for a null: `serde_json` itself refuses numbers beyond the range of an f64.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    let value = Box::<RawValue>::deserialize(deserializer)?;
    match value.get().as_bytes() {
        b"null" => Ok(None),
        [b'-' | b'0'..=b'9', ..] => Ok(Some(value)),
        _ => Err(D::Error::custom("not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_integer(text: &str) -> Option<Option<i64>> {
        integer(&mut serde_json::Deserializer::from_str(text)).ok()
    }

    fn read_float(text: &str) -> Option<Option<f64>> {
        float(&mut serde_json::Deserializer::from_str(text)).ok()
    }

    #[test]
    fn a_whole_number_may_have_a_fraction_of_zeros_or_an_exponent() {
        for (text, number) in [("5", 5), ("5.0", 5), ("5.00", 5), ("5e0", 5), ("-7", -7), ("-0", 0), ("1e3", 1000)] {
            assert_eq!(read_integer(text), Some(Some(number)), "{text}");
        }
        assert_eq!(read_integer("null"), Some(None));
        for text in ["1.5", "1e-1", "\"5\"", "true", "[5]", "{}", "01", "+1", "5.", ".5", "NaN"] {
            assert_eq!(read_integer(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_become_the_nearest_that_do() {
        let nines = "9".repeat(400);
        for text in ["9223372036854775807", "9223372036854775808", "1e19", "1e400", &nines] {
            assert_eq!(read_integer(text), Some(Some(i64::MAX)), "{text}");
        }
        for text in ["-9223372036854775809", "-1e400", &format!("-{nines}")] {
            assert_eq!(read_integer(text), Some(Some(i64::MIN)), "{text}");
        }
        assert_eq!(read_float("7"), Some(Some(7.0)));
        assert_eq!(read_float("-1e309"), Some(Some(f64::NEG_INFINITY)));
        assert_eq!(read_float("\"7\""), None);
        assert_eq!(read_float("null"), Some(None));
    }
}

//! Lenient reading of query parameters: whatever cannot be read is as if it were not there.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The first value of the parameter `name`.
pub fn first<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| decode(key) == name).map(|(_, value)| decode(value))
}

fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return percent_decode_str(&spaced).decode_utf8_lossy().into_owned().into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_counts() {
        assert_eq!(first("a=1&limit=5&limit=7", "limit").as_deref(), Some("5"));
        assert_eq!(first("limit", "limit").as_deref(), Some(""));
        assert_eq!(first("", "limit"), None);
    }

    #[test]
    fn names_and_values_are_decoded() {
        assert_eq!(first("li%6Dit=%35+%ff%zz", "limit").as_deref(), Some("5 \u{fffd}%zz"));
    }
}

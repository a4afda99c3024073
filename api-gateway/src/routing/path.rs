//! The one form of a path that everything decides on.
//!
//! RFC 3986 section 6.2.2 says which spellings are equal: escapes of unreserved characters, the case of escapes, and
//! dot segments. The first two are normalised here. The rest of what servers disagree on (dot segments, empty
//! segments, escaped or back slashes, path parameters, control characters, escapes of escapes) no client of this
//! platform needs, so it is refused.

use std::borrow::Cow;

/// The path cannot be given one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OddPath;

/// The canonical form of the path of a request; borrowed when it already is.
///
/// # Errors
/// [`OddPath`] for a path that two servers could understand differently.
pub fn canonical(path: &str) -> Result<Cow<'_, str>, OddPath> {
    let body = path.strip_prefix('/').ok_or(OddPath)?;
    let normalised = if body.contains('%') { Cow::Owned(normalise_escapes(path)?) } else { Cow::Borrowed(path) };
    let segments = normalised[1..].strip_suffix('/').unwrap_or(&normalised[1..]);
    let odd_byte = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b';' | b'#' | b'?');
    let odd_segment = |segment: &str| matches!(segment, "" | "." | "..");
    // "/" alone has no segments.
    let has_odd_segment = normalised.len() > 1 && segments.split('/').any(odd_segment);
    if has_odd_segment || normalised.bytes().any(odd_byte) {
        return Err(OddPath);
    }
    Ok(normalised)
}

/// Decodes escapes of unreserved characters and writes the others in upper case.
fn normalise_escapes(path: &str) -> Result<String, OddPath> {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        normal.push_str(&rest[..at]);
        let byte = rest.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()).ok_or(OddPath)?;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => normal.push(char::from(byte)),
            0..=0x1f | 0x7f | b'/' | b'\\' | b'%' | b';' => return Err(OddPath),
            _ => normal.push_str(&format!("%{byte:02X}")),
        }
        rest = &rest[at + 3..];
    }
    normal.push_str(rest);
    Ok(normal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ordinary_path_is_its_own_canonical_form() {
        for path in ["/", "/health", "/api/v1/movies/", "/api/v1/users/1/preferences", "/a%20b", "/caf%C3%A9"] {
            assert_eq!(canonical(path).as_deref(), Ok(path));
        }
    }

    #[test]
    fn escapes_that_change_nothing_are_undone() {
        assert_eq!(canonical("/api/v1/%6dovies/%31").as_deref(), Ok("/api/v1/movies/1"));
        assert_eq!(canonical("/caf%c3%a9").as_deref(), Ok("/caf%C3%A9"));
    }

    #[test]
    fn what_servers_understand_differently_is_refused() {
        for path in [
            "",
            "health",
            "//",
            "//health",
            "/api//v1",
            "/health//",
            "/./health",
            "/api/../health",
            "/..",
            "/.",
            "/%2e%2e/api",
            "/swagger/..%2fapi",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/health;x",
            "/health%3b",
            "/%00",
            "/a%0d%0ab",
            "/%",
            "/%1",
            "/%zz",
            "/%252e",
            "/a%7f",
            "/\u{e9}",
            "/swagger/%2e%2e/api/v1/movies",
            "/+/%2",
        ] {
            assert_eq!(canonical(path), Err(OddPath), "{path}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_stable_and_plain(path in "/[a-z0-9%./;\\\\ A-F]{0,40}") {
            if let Ok(once) = canonical(&path) {
                let twice = canonical(&once);
                prop_assert_eq!(twice.as_deref(), Ok(&*once));
                prop_assert!(once.starts_with('/') && once.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!once.contains("//") && !once.contains("/../") && !once.contains("/./"));
            }
        }

        #[test]
        fn any_text_has_an_answer(path in "\\PC{0,60}") {
            let _ = canonical(&path);
        }
    }
}

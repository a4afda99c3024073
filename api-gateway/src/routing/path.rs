//! The canonical form of a path.
//!
//! RFC 3986 section 6.2.2 says which paths are equivalent: escapes of unreserved characters, the case of escapes, and
//! dot segments. The first two are normalised here. What servers interpret differently (dot segments, empty segments,
//! escaped slashes, backslashes, path parameters, control characters, double escapes, escapes that are not UTF-8, of which
//! overlong ones decode to dots and slashes in some servers) is refused: no client of this platform needs it.

use std::borrow::Cow;

/// A path without a canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonCanonicalPath;

/// The canonical form of the path of a request; borrowed when it already is.
///
/// # Errors
/// [`NonCanonicalPath`] for a path that two servers could interpret differently.
pub fn canonical(path: &str) -> Result<Cow<'_, str>, NonCanonicalPath> {
    let body = path.strip_prefix('/').ok_or(NonCanonicalPath)?;
    let normalised = if body.contains('%') { Cow::Owned(normalise_escapes(path)?) } else { Cow::Borrowed(path) };
    let segments = normalised[1..].strip_suffix('/').unwrap_or(&normalised[1..]);
    let is_forbidden_byte = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b';' | b'#' | b'?');
    let is_forbidden_segment = |segment: &str| matches!(segment, "" | "." | "..");
    // "/" alone has no segments.
    let has_forbidden_segment = normalised.len() > 1 && segments.split('/').any(is_forbidden_segment);
    if has_forbidden_segment || normalised.bytes().any(is_forbidden_byte) {
        return Err(NonCanonicalPath);
    }
    Ok(normalised)
}

/// Decodes escapes of unreserved characters and writes the others in upper case.
fn normalise_escapes(path: &str) -> Result<String, NonCanonicalPath> {
    let mut normalised = String::with_capacity(path.len());
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(index) = rest.find('%') {
        normalised.push_str(&rest[..index]);
        decoded.extend_from_slice(&rest.as_bytes()[..index]);
        let byte = rest.get(index + 1..index + 3).filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()).ok_or(NonCanonicalPath)?;
        decoded.push(byte);
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => normalised.push(char::from(byte)),
            0..=0x1f | 0x7f | b'/' | b'\\' | b'%' | b';' => return Err(NonCanonicalPath),
            _ => normalised.push_str(&format!("%{byte:02X}")),
        }
        rest = &rest[index + 3..];
    }
    normalised.push_str(rest);
    if std::str::from_utf8(&decoded).is_err() {
        return Err(NonCanonicalPath);
    }
    Ok(normalised)
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
    fn equivalent_escapes_are_normalised() {
        assert_eq!(canonical("/api/v1/%6dovies/%31").as_deref(), Ok("/api/v1/movies/1"));
        assert_eq!(canonical("/caf%c3%a9").as_deref(), Ok("/caf%C3%A9"));
    }

    #[test]
    fn a_path_that_servers_interpret_differently_is_refused() {
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
            "/%c0%ae%c0%ae/x",
            "/a%c0%af",
            "/%e0%80%ae",
            "/%ff",
            "/%c3x%a9",
            "/%ed%a0%80",
        ] {
            assert_eq!(canonical(path), Err(NonCanonicalPath), "{path}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_stable_and_has_no_forbidden_segment(path in "/[a-z0-9%./;\\\\ A-F]{0,40}") {
            if let Ok(path) = canonical(&path) {
                let again = canonical(&path);
                prop_assert_eq!(again.as_deref(), Ok(&*path));
                prop_assert!(path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!path.contains("//") && !path.contains("/../") && !path.contains("/./"));
            }
        }

        #[test]
        fn canonical_never_panics(path in "\\PC{0,60}") {
            let _ = canonical(&path);
        }
    }
}

//! What a path leads to when it is read in the most generous way that some server has read paths.

/// Decodes escapes as often as they are nested, also overlong UTF-8, takes backslashes for slashes, cuts off path
/// parameters, the query and what follows a NUL, and resolves empty and dot segments.
pub fn resolve(path: &str) -> String {
    let mut decoded = path.split('?').next().unwrap_or_default().to_ascii_lowercase();
    for _ in 0..4 {
        decoded = decode(&decoded);
    }
    let decoded = decoded.split('\0').next().unwrap_or_default().replace('\\', "/");
    let mut segments = Vec::new();
    for segment in decoded.split('/').map(|segment| segment.split(';').next().unwrap_or_default()) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}

/// Whether a path, read in that way, is one that needs a token.
pub fn needs_token(path: &str) -> bool {
    let path = resolve(path);
    path.starts_with("/api/") && !matches!(&*path, "/api/v1/health" | "/api/v1/ready")
}

fn decode(text: &str) -> String {
    // Overlong UTF-8 for a dot, a slash and a backslash.
    let text = text.replace("%c0%ae", ".").replace("%c0%af", "/").replace("%c1%9c", "\\");
    let (mut decoded, mut rest) = (String::new(), text.as_str());
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let byte = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) => {
                decoded.push(char::from(byte));
                rest = &rest[at + 3..];
            }
            None => {
                decoded.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    decoded + rest
}

#[test]
fn every_way_to_write_a_path_that_needs_a_token_is_recognised() {
    for path in [
        "/api/v1/movies",
        "//api/v1/movies",
        "/swagger/../api/v1/movies",
        "/swagger/%2E%2e/api/v1/movies",
        "/swagger/..%2fapi/v1/movies",
        "/swagger/%252e%252e%252fapi/v1/movies",
        "/swagger/..;x/api/v1/movies",
        "/swagger/..%5capi/v1/movies",
        "/swagger/%c0%ae%c0%ae%c0%afapi/v1/movies",
        "/API/v1/movies",
    ] {
        assert!(needs_token(path), "{path}: {}", resolve(path));
    }
    for path in
        ["/health", "/api/v1/health", "/swagger/", "/swagger/api/v1/movies", "/swagger?/../api/v1/movies", "/", "/%zz"]
    {
        assert!(!needs_token(path), "{path}: {}", resolve(path));
    }
}

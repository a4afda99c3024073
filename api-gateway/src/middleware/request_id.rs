//! `X-Request-Id`: kept when a client sends a sensible one, otherwise made.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is kept.
const MAX_LENGTH: usize = 128;

/// The id of a request: the client's own when it is one value of up to 128 visible ASCII characters, otherwise 128
/// random bits in hexadecimal.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    let mut values = headers.get_all(X_REQUEST_ID).iter();
    match (values.next(), values.next()) {
        (Some(id), None) if is_sensible(id.as_bytes()) => id.clone(),
        _ => random(),
    }
}

fn is_sensible(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MAX_LENGTH && id.iter().all(u8::is_ascii_graphic)
}

fn random() -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bits = rand::random::<u128>();
    let digits: [u8; 32] = std::array::from_fn(|at| DIGITS[(bits >> (124 - 4 * at)) as usize & 15]);
    HeaderValue::from_bytes(&digits).expect("hexadecimal digits are legal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_REQUEST_ID, value.parse().expect("a legal value"));
        }
        request_id(&headers).to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn a_sensible_id_is_kept() {
        assert_eq!(id(&["abc-123"]), "abc-123");
    }

    #[test]
    fn anything_else_gets_a_fresh_one() {
        let long = "x".repeat(129);
        for values in [&[][..], &[""], &["a b"], &["a", "b"], &[long.as_str()]] {
            let made = id(values);
            assert!(made.len() == 32 && made.bytes().all(|byte| byte.is_ascii_hexdigit()), "{made}");
        }
        assert_ne!(id(&[]), id(&[]));
    }
}

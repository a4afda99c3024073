//! `X-Request-Id`: kept when a client sends a valid one, otherwise made.

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
        (Some(id), None) if is_valid(id.as_bytes()) => id.clone(),
        _ => HeaderValue::from_bytes(&hex::<32>(rand::random())).expect("hexadecimal digits are legal"),
    }
}

fn is_valid(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MAX_LENGTH && id.iter().all(u8::is_ascii_graphic)
}

/// The last `N` hexadecimal digits of a number.
pub(super) fn hex<const N: usize>(number: u128) -> [u8; N] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|index| DIGITS[(number >> (4 * (N - 1 - index))) as usize & 15])
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
    fn a_valid_id_is_kept() {
        assert_eq!(id(&["abc-123"]), "abc-123");
    }

    #[test]
    fn an_absent_or_invalid_id_is_replaced_by_a_new_one() {
        let long = "x".repeat(129);
        for values in [&[][..], &[""], &["a b"], &["a", "b"], &[long.as_str()]] {
            let made = id(values);
            assert!(made.len() == 32 && made.bytes().all(|byte| byte.is_ascii_hexdigit()), "{made}");
        }
        assert_ne!(id(&[]), id(&[]));
    }
}

//! Entity tags (RFC 9110, section 8.8.3): strong ones, made of the bytes that are sent. Whatever changes an answer
//! changes its tag, and every replica makes the same one.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Bytes of the digest that are kept.
pub const LENGTH: usize = 16;

/// The tag of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ETag([u8; LENGTH]);

/// A body and its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The tag of `body`.
    pub etag: ETag,
    /// What is sent.
    pub body: Bytes,
}

impl Tagged {
    /// A body with the tag made of it.
    pub fn of(body: Bytes) -> Self {
        Self { etag: ETag::of(&body), body }
    }
}

impl From<[u8; LENGTH]> for ETag {
    /// A tag made before, as [`ETag::bytes`] gave it.
    fn from(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }
}

impl ETag {
    /// The first half of the body's SHA-256.
    pub fn of(body: &[u8]) -> Self {
        let mut tag = [0; LENGTH];
        tag.copy_from_slice(&Sha256::digest(body)[..LENGTH]);
        Self(tag)
    }

    /// What the tag consists of.
    pub fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// Whether `If-Match` or `If-None-Match` names this tag: `*`, or a list with it. `weakly` as for `If-None-Match`:
    /// a weak tag counts as its strong one.
    pub fn is_named_by<'a>(self, values: impl IntoIterator<Item = &'a str>, weakly: bool) -> bool {
        is_named(&self.to_string(), values, weakly)
    }
}

impl fmt::Display for ETag {
    /// With its quotes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{:032x}\"", u128::from_be_bytes(self.0))
    }
}

/// Whether one of the values of a header, each a list or `*`, names `tag`, which has its quotes and no comma between them.
pub fn is_named<'a>(tag: &str, values: impl IntoIterator<Item = &'a str>, weakly: bool) -> bool {
    let is_tag = |named: &str| tag == if weakly { named.strip_prefix("W/").unwrap_or(named) } else { named };
    values.into_iter().any(|value| value.trim() == "*" || value.split(',').map(str::trim).any(is_tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_follows_the_bytes() {
        assert_eq!(ETag::of(b"{}"), ETag::of(b"{}"));
        assert_ne!(ETag::of(b"{}"), ETag::of(b"[]"));
        assert_eq!(ETag::of(b"").to_string(), "\"e3b0c44298fc1c149afbf4c8996fb924\"", "SHA-256 of nothing");
    }

    #[test]
    fn a_header_may_name_a_list_or_anything() {
        let tag = ETag::of(b"");
        let strong = tag.to_string();
        for value in [strong.clone(), format!("\"x\", {strong}"), "*".to_owned()] {
            assert!(tag.is_named_by([value.as_str()], false), "{value}");
            assert!(tag.is_named_by(["\"y\"", value.as_str()], true), "{value}");
        }
        let weak = format!("W/{strong}");
        assert!(tag.is_named_by([weak.as_str()], true) && !tag.is_named_by([weak.as_str()], false));
        // Tags of others may have any characters between their quotes.
        for value in ["\"x\"", "", "e3b0c44298fc1c149afbf4c8996fb924", "\"x,*,y\"", "\"x\", *", "W/*"] {
            assert!(!tag.is_named_by([value], true) && !tag.is_named_by([value], false), "{value}");
        }
        assert!(tag.is_named_by([" * "], true) && tag.is_named_by(["*"], false));
    }
}

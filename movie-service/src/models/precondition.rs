//! `If-Match` (RFC 9110, section 13.1.1): a change that is made only to what its author has seen.

use super::etag::ETag;

/// What a movie must be before it is changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Precondition(Option<Vec<String>>);

impl Precondition {
    /// Of the values of the header's lines; none of them makes no condition.
    pub fn new(lines: Vec<String>) -> Self {
        Self((!lines.is_empty()).then_some(lines))
    }

    /// Whether a change needs nothing.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Whether what has this tag may be changed. Only a strong tag names it.
    pub fn allows(&self, tag: &ETag) -> bool {
        self.0.as_ref().is_none_or(|lines| tag.is_named_by(lines.iter().map(String::as_str), false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_compared_strongly() {
        let tag = ETag::of(b"{}");
        let allows =
            |lines: &[&str]| Precondition::new(lines.iter().map(|line| (*line).to_owned()).collect()).allows(&tag);
        let named = tag.to_string();
        assert!(allows(&[]) && allows(&["*"]) && allows(&[&named]));
        assert!(allows(&["\"x\"", &format!("\"y\" , {named}")]), "any line, any place in it");
        for value in ["", "\"x\"", "x", &format!("W/{named}"), named.trim_matches('"'), "\u{fffd}"] {
            assert!(!allows(&[value]), "{value}");
        }
    }
}

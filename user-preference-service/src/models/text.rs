//! Rules that texts have in common. Lengths are in characters (Unicode code points), as PostgreSQL counts them.

use super::Invalid;

/// Refuses a NUL, which PostgreSQL cannot store.
///
/// # Errors
/// [`Invalid::Field`] naming `field`.
pub fn without_nul(text: &str, field: &'static str) -> Result<(), Invalid> {
    if text.contains('\0') {
        return Err(Invalid::Field { field, rule: "must not contain a NUL character" });
    }
    Ok(())
}

/// Refuses a text of more than `limit` characters, with `rule` as the reason.
///
/// # Errors
/// [`Invalid::Field`] naming `field`.
pub fn at_most(text: &str, limit: usize, field: &'static str, rule: &'static str) -> Result<(), Invalid> {
    // No character takes less than a byte, so most texts need no counting.
    if text.len() > limit && text.chars().nth(limit).is_some() {
        return Err(Invalid::Field { field, rule });
    }
    Ok(())
}

/// Whether there is nothing to see: only spaces and control characters.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters_not_bytes() {
        assert!(at_most(&"é".repeat(10), 10, "f", "r").is_ok());
        assert!(at_most(&"🎬".repeat(10), 10, "f", "r").is_ok());
        assert!(at_most(&"é".repeat(11), 10, "f", "r").is_err());
    }

    #[test]
    fn blank_is_what_shows_nothing() {
        for text in ["", " ", "\t\n", "\u{a0}\u{3000}", "\u{1}"] {
            assert!(is_blank(text), "{text:?}");
        }
        assert!(!is_blank(" a "));
    }
}

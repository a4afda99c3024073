//! What texts show.

/// Whether nothing is to be seen of a text: it is empty, or all of it is white space, control characters and invisible ones.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || character.is_control() || is_invisible(character))
}

/// Unicode's `Default_Ignorable_Code_Point`, marks of annotations, and the pattern of Braille without a dot.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_blank_and_no_script_is() {
        for text in ["", " \t\u{a0}\u{3000}", "\u{1}", "\u{200b}", " \u{2060}\u{feff}\u{ad}", "\u{3164}", "\u{e0041}"] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["x", "\u{200b}x", "七人の侍", "می\u{200c}خواهم", "Ⅷ", "❤\u{fe0f}", "·", "\u{301}"]
        {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}

//! Cuts what arrives in pieces into numbered lines, keeping no more than one line that is not complete.

use std::borrow::Cow;

/// Longest line in bytes.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing but spaces.
    Blank,
    /// More than [`MAX_LINE_BYTES`]; it was thrown away.
    TooLong,
    /// Its bytes.
    Text(Cow<'a, [u8]>),
}

/// What has arrived of a line that is not complete.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    is_too_long: bool,
    /// Complete lines so far.
    pub(super) count: usize,
}

impl Lines {
    /// The next complete line, taken off the front of `piece`; `None` when the piece is used up.
    pub(super) fn next<'a>(&mut self, piece: &mut &'a [u8]) -> Option<Line<'a>> {
        match piece.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let (text, rest) = (&piece[..end], &piece[end + 1..]);
                *piece = rest;
                Some(self.complete(text))
            }
            None => {
                self.keep(piece);
                *piece = &[];
                None
            }
        }
    }

    /// What follows the end of the last line, once it is known that nothing more comes.
    pub(super) fn last(mut self) -> Option<(usize, Line<'static>)> {
        let line = self.complete(&[]);
        (line != Line::Blank).then_some((self.count, line))
    }

    fn complete<'a>(&mut self, text: &'a [u8]) -> Line<'a> {
        self.count += 1;
        let whole = if self.begun.is_empty() && !self.is_too_long {
            Cow::Borrowed(text)
        } else {
            self.keep(text);
            Cow::Owned(std::mem::take(&mut self.begun))
        };
        if std::mem::take(&mut self.is_too_long) || whole.len() > MAX_LINE_BYTES {
            Line::TooLong
        } else if whole.iter().all(u8::is_ascii_whitespace) {
            Line::Blank
        } else {
            Line::Text(whole)
        }
    }

    fn keep(&mut self, text: &[u8]) {
        self.is_too_long |= self.begun.len() + text.len() > MAX_LINE_BYTES;
        if self.is_too_long {
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All lines of what arrives in these pieces: `-` for a blank one, `!` for one that is too long.
    fn lines<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let shown = |line: Line<'_>| match line {
            Line::Blank => "-".to_owned(),
            Line::TooLong => "!".to_owned(),
            Line::Text(text) => String::from_utf8_lossy(&text).into_owned(),
        };
        let (mut splitter, mut found) = (Lines::default(), Vec::new());
        for mut piece in pieces {
            while let Some(line) = splitter.next(&mut piece) {
                found.push(shown(line));
            }
            assert!(splitter.begun.len() <= MAX_LINE_BYTES);
        }
        found.extend(splitter.last().map(|(_, line)| shown(line)));
        found
    }

    #[test]
    fn lines_end_with_a_line_feed_and_the_last_one_may_go_without() {
        assert_eq!(lines([b"a\n\r\nb\r\n \n\nc".as_slice()]), ["a", "-", "b\r", "-", "-", "c"]);
        assert_eq!(lines([b"a\n".as_slice()]), ["a"]);
        assert_eq!(lines([b"".as_slice()]), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line_and_the_next_one_is_read() {
        let (longest, longer) = ("x".repeat(MAX_LINE_BYTES), "x".repeat(MAX_LINE_BYTES + 1));
        let text = format!("{longest}\n{longer}\nb\n{longer}{longer}");
        for size in [1000, MAX_LINE_BYTES, text.len()] {
            assert_eq!(lines(text.as_bytes().chunks(size)), [longest.as_str(), "!", "b", "!"], "{size}");
        }
    }

    proptest! {
        #[test]
        fn where_the_pieces_end_makes_no_difference(text in "[ab \n]{0,40}", size in 1_usize..10) {
            prop_assert_eq!(lines(text.as_bytes().chunks(size)), lines([text.as_bytes()]));
        }
    }
}

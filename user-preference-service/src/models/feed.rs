//! All interactions in the order in which they were committed, for training.

use std::fmt;

use chrono::{DateTime, Utc};

/// A place in the feed: after the interaction with this id in this transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// PostgreSQL's number of the transaction that recorded it.
    pub transaction: u64,
    /// The number of the record.
    pub id: i64,
}

/// A place in the feed of one epoch, as clients carry it: `<epoch>.<transaction>.<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Whose feed it is.
    pub epoch: String,
    /// The place.
    pub position: Position,
}

impl Cursor {
    /// Reads a cursor; `None` for a text that is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, id) = text.rsplit_once('.')?;
        let (epoch, transaction) = rest.rsplit_once('.')?;
        let is_epoch = epoch.len() == 36 && epoch.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_epoch || !is_number(transaction) || !is_number(id) {
            return None;
        }
        let position = Position { transaction: transaction.parse().ok()?, id: id.parse().ok()? };
        Some(Self { epoch: epoch.to_owned(), position })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, position: Position { transaction, id } } = self;
        write!(formatter, "{epoch}.{transaction}.{id}")
    }
}

/// How many interactions an answer holds at most: 1 to 1,000,000, which is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimit(usize);

impl Default for FeedLimit {
    fn default() -> Self {
        Self(Self::MAX)
    }
}

impl FeedLimit {
    /// The largest one.
    pub const MAX: usize = 1_000_000;

    /// Reads a number; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|limit| (1..=Self::MAX).contains(limit)).map(Self)
    }

    /// The number itself.
    pub fn get(self) -> usize {
        self.0
    }
}

/// An interaction with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEntry {
    /// Its place.
    pub position: Position,
    /// Who did it.
    pub user_id: i64,
    /// The movie.
    pub movie_id: i32,
    /// What the user did with it.
    pub kind: String,
    /// The points of a rating.
    pub value: Option<f32>,
    /// When the user did it.
    pub occurred_at: DateTime<Utc>,
    /// The list of recommendations that it comes from.
    pub recommendation_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: &str = "7b0e1a52-3a3c-4d0c-9f4e-1d2c3b4a5f60";

    #[test]
    fn a_cursor_is_read_back() {
        for (transaction, id) in [(0, 0), (u64::MAX, i64::MAX)] {
            let cursor = Cursor { epoch: EPOCH.to_owned(), position: Position { transaction, id } };
            assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }
    }

    #[test]
    fn anything_else_is_no_cursor() {
        for text in [
            "",
            "1.2",
            "x.1.2",
            &format!("{EPOCH}.1"),
            &format!("{EPOCH}.1.-2"),
            &format!("{EPOCH}.+1.2"),
            &format!("{EPOCH}..2"),
            &format!("{EPOCH}.1.9223372036854775808"),
            &format!("{EPOCH}.18446744073709551616.1"),
            &format!("{EPOCH}x.1.2"),
            &format!("{EPOCH}.1.2 "),
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_limit_is_a_number_from_1_to_1000000() {
        for (text, limit) in [("1", Some(1)), ("1000000", Some(1_000_000)), ("0", None), ("1000001", None), ("", None)]
        {
            assert_eq!(FeedLimit::parse(text).map(FeedLimit::get), limit, "{text}");
        }
    }
}

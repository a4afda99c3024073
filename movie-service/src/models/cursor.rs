//! Cursors: where a page of the list ended, in a form that only this platform can make and only the same query takes.
//!
//! A cursor is base64url without padding of a MAC and of a position: the number of rows up to it, the id and the sort
//! key of the last row, and for relevance how well that row fits. The MAC covers the position and the query.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the MAC that are kept: 128 bits.
const MAC_LENGTH: usize = 16;
/// Changes with the form of the position.
const FORM: u8 = 1;

/// The value that a movie is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// It is unknown.
    Unknown,
    /// Of a popularity or an average.
    Float(f64),
    /// Of a number of votes or of minutes.
    Int(i32),
    /// Of release.
    Date(NaiveDate),
    /// Of creation, exact to the microsecond, as PostgreSQL has it.
    Time(DateTime<Utc>),
    /// A title.
    Text(String),
}

/// How well a title fits what is searched for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// 1 the same, 2 the beginning, 3 words, 4 spelt like it.
    pub tier: i32,
    /// From the words, 0 to 1.
    pub distance: f32,
}

/// The last row of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Rows up to and with this one.
    pub before: i64,
    /// Its id.
    pub id: i32,
    /// Its sort key; with relevance its popularity.
    pub key: Key,
    /// With relevance only.
    pub fit: Option<Fit>,
}

/// Signs cursors and knows its own again.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// Made of the secret that all replicas share.
    pub fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("a key of any length will do"))
    }

    /// The cursor of a position in the answer to a query.
    pub fn seal(&self, position: &Position, scope: &str) -> String {
        let position = position.to_bytes();
        let mut bytes = self.mac(&position, scope).finalize().into_bytes()[..MAC_LENGTH].to_vec();
        bytes.extend_from_slice(&position);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position of a cursor, or `None` when it is not one of ours for this query.
    pub fn open(&self, cursor: &str, scope: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (mac, position) = bytes.split_at_checked(MAC_LENGTH)?;
        self.mac(position, scope).verify_truncated_left(mac).ok()?;
        Position::from_bytes(position)
    }

    /// The length first: no two pairs of position and query are the same bytes.
    fn mac(&self, position: &[u8], scope: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&(position.len() as u64).to_be_bytes());
        mac.update(position);
        mac.update(scope.as_bytes());
        mac
    }
}

impl Position {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        bytes.extend(self.before.to_be_bytes());
        bytes.extend(self.id.to_be_bytes());
        match self.fit {
            None => bytes.push(0),
            Some(Fit { tier, distance }) => {
                bytes.push(1);
                bytes.extend(tier.to_be_bytes());
                bytes.extend(distance.to_bits().to_be_bytes());
            }
        }
        let (kind, key) = match &self.key {
            Key::Unknown => (0, Vec::new()),
            Key::Float(key) => (1, key.to_bits().to_be_bytes().to_vec()),
            Key::Int(key) => (2, key.to_be_bytes().to_vec()),
            Key::Date(key) => (3, key.to_epoch_days().to_be_bytes().to_vec()),
            Key::Time(key) => (4, key.timestamp_micros().to_be_bytes().to_vec()),
            Key::Text(key) => (5, key.as_bytes().to_vec()),
        };
        bytes.push(kind);
        bytes.extend(key);
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        let [FORM] = take(bytes)? else { return None };
        let before = i64::from_be_bytes(take(bytes)?);
        let id = i32::from_be_bytes(take(bytes)?);
        let fit = match take(bytes)? {
            [0] => None,
            [_] => {
                let tier = i32::from_be_bytes(take(bytes)?);
                Some(Fit { tier, distance: f32::from_bits(u32::from_be_bytes(take(bytes)?)) })
            }
        };
        let key = match take(bytes)? {
            [0] => Key::Unknown,
            [1] => Key::Float(f64::from_bits(u64::from_be_bytes(take(bytes)?))),
            [2] => Key::Int(i32::from_be_bytes(take(bytes)?)),
            [3] => Key::Date(NaiveDate::from_epoch_days(i32::from_be_bytes(take(bytes)?))?),
            [4] => Key::Time(DateTime::from_timestamp_micros(i64::from_be_bytes(take(bytes)?))?),
            [5] => Key::Text(std::str::from_utf8(std::mem::take(bytes)).ok()?.to_owned()),
            _ => return None,
        };
        bytes.is_empty().then_some(Self { before, id, key, fit })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> CursorKey {
        CursorKey::new(b"secret")
    }

    fn positions() -> impl Strategy<Value = Position> {
        let key = prop_oneof![
            Just(Key::Unknown),
            prop::num::f64::NORMAL.prop_map(Key::Float),
            any::<i32>().prop_map(Key::Int),
            (-1_000_000..1_000_000).prop_map(|days| Key::Date(NaiveDate::from_epoch_days(days).expect("in range"))),
            (0..4_102_444_800_000_000_i64)
                .prop_map(|micros| Key::Time(DateTime::from_timestamp_micros(micros).expect("in range"))),
            "\\PC{0,50}".prop_map(Key::Text),
        ];
        let fit = prop::option::of((any::<i32>(), 0.0..1.0_f32).prop_map(|(tier, distance)| Fit { tier, distance }));
        (any::<i64>(), any::<i32>(), key, fit).prop_map(|(before, id, key, fit)| Position { before, id, key, fit })
    }

    proptest! {
        #[test]
        fn a_cursor_is_opened_by_the_key_and_the_query_it_was_made_with(position in positions(), scope: String) {
            let cursor = key().seal(&position, &scope);
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
            prop_assert_eq!(key().open(&cursor, &scope), Some(position));
            prop_assert_eq!(key().open(&cursor, &format!("{scope}x")), None);
            prop_assert_eq!(CursorKey::new(b"other").open(&cursor, &scope), None);
        }

        #[test]
        fn a_changed_cursor_is_refused(position in positions(), at: prop::sample::Index, bit in 0_u8..8, cut: prop::sample::Index) {
            let cursor = key().seal(&position, "q");
            let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).expect("ours");
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(key().open(&URL_SAFE_NO_PAD.encode(&bytes), "q"), None);
            prop_assert_eq!(key().open(&cursor[..cut.index(cursor.len())], "q"), None);
        }

        #[test]
        fn nothing_else_is_a_cursor(text: String, bytes: Vec<u8>) {
            prop_assert_eq!(key().open(&text, "q"), None);
            prop_assert_eq!(key().open(&URL_SAFE_NO_PAD.encode(&bytes), "q"), None);
            // Not even with the right signature does a position of another form panic.
            let _ = Position::from_bytes(&bytes);
        }
    }
}

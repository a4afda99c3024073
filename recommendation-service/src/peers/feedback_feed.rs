//! The feedback of all users, read from user-preference-service in increments (NDJSON) as they arrive.
//!
//! The first line names the epoch: with another one than before, everything is to be read anew. Then comes a line for each
//! feedback, in an order without gaps, and the last line names the cursor to go on from: without it the increment is not
//! whole, and is read again.

use std::time::Duration;

use bytes::BytesMut;
use chrono::{DateTime, Utc};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;
use tokio_util::codec::{Decoder, LinesCodec};

use super::{PeerError, PeersConfig, USER_PREFERENCE_SERVICE, send};
use crate::{models::feedback::FeedbackKind, service::training::feedback_log::FeedbackEntry};

/// Lines of one increment.
const PAGE: usize = 50_000;
/// Longest line in bytes.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// Longest pause between two chunks.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPosition {
    /// Of the data: another one after they were restored or replaced.
    pub epoch: String,
    /// Of the last entry that was read.
    pub cursor: String,
}

/// An increment that was read whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Increment {
    /// Where to go on.
    pub next: FeedPosition,
    /// What has come.
    pub entries: Vec<FeedbackEntry>,
    /// Whether there may be more at once.
    pub is_full: bool,
}

/// The feed.
#[derive(Debug, Clone)]
pub struct FeedbackFeed {
    client: Client,
    url: String,
    timeout: Duration,
}

#[derive(Deserialize)]
struct FirstLine {
    epoch: serde_json::Value,
}

#[derive(Deserialize)]
struct EntryLine {
    user_id: i64,
    movie_id: i64,
    kind: String,
    #[serde(default)]
    value: Option<f64>,
    occurred_at: DateTime<Utc>,
    #[serde(default)]
    recommendation_id: Option<String>,
}

#[derive(Deserialize)]
struct LastLine {
    end: bool,
    next: serde_json::Value,
}

impl FeedbackFeed {
    /// Nothing is sent before the first request.
    pub fn new(client: Client, config: &PeersConfig) -> Self {
        let url = format!("{}/internal/v1/feedback", config.user_preference_service_url);
        Self { client, url, timeout: config.timeout }
    }

    /// The next increment after `position`, or the first one.
    ///
    /// # Errors
    /// [`PeerError`] when it could not be had whole; what came of it is thrown away.
    pub async fn read(&self, position: Option<&FeedPosition>) -> Result<Increment, PeerError> {
        let mut request = self.client.get(&self.url).query(&[("limit", PAGE)]);
        if let Some(position) = position {
            request = request.query(&[("after", &position.cursor)]);
        }
        let mut response =
            timeout(self.timeout, send(USER_PREFERENCE_SERVICE, request)).await.map_err(|_| PeerError::TimedOut)??;
        if response.status() != StatusCode::OK {
            return Err(PeerError::Status(response.status().as_u16()));
        }
        let mut reader = IncrementReader::default();
        while let Some(chunk) = timeout(STALL_TIMEOUT, response.chunk()).await.map_err(|_| PeerError::TimedOut)?? {
            reader.feed(&chunk)?;
        }
        reader.finish()
    }
}

/// An increment that is being received.
#[derive(Debug)]
struct IncrementReader {
    lines: LinesCodec,
    buffer: BytesMut,
    epoch: Option<String>,
    lines_read: usize,
    entries: Vec<FeedbackEntry>,
    next: Option<String>,
}

impl Default for IncrementReader {
    fn default() -> Self {
        let lines = LinesCodec::new_with_max_length(MAX_LINE_BYTES);
        Self { lines, buffer: BytesMut::new(), epoch: None, lines_read: 0, entries: Vec::new(), next: None }
    }
}

impl IncrementReader {
    fn feed(&mut self, chunk: &[u8]) -> Result<(), PeerError> {
        self.buffer.extend_from_slice(chunk);
        while let Some(line) = self.lines.decode(&mut self.buffer).map_err(PeerError::malformed)? {
            self.line(&line)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Increment, PeerError> {
        while let Some(line) = self.lines.decode_eof(&mut self.buffer).map_err(PeerError::malformed)? {
            self.line(&line)?;
        }
        let is_full = self.lines_read >= PAGE;
        match (self.epoch, self.next) {
            (Some(epoch), Some(cursor)) => {
                Ok(Increment { next: FeedPosition { epoch, cursor }, entries: self.entries, is_full })
            }
            _ => Err(PeerError::malformed("it ends before its last line")),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), PeerError> {
        if self.next.is_some() {
            return Err(PeerError::malformed("something follows its last line"));
        }
        if self.epoch.is_none() {
            let first: FirstLine = serde_json::from_str(line).map_err(PeerError::malformed)?;
            self.epoch = Some(text(&first.epoch));
            return Ok(());
        }
        match serde_json::from_str::<EntryLine>(line) {
            Ok(entry) => {
                self.entry(entry);
                Ok(())
            }
            Err(error) => {
                let last: LastLine = serde_json::from_str(line).map_err(|_| PeerError::malformed(error))?;
                if !last.end {
                    return Err(PeerError::malformed("a last line that is none"));
                }
                self.next = Some(text(&last.next));
                Ok(())
            }
        }
    }

    /// An id that no movie can have says nothing, and neither does a kind that is not feedback.
    fn entry(&mut self, entry: EntryLine) {
        self.lines_read += 1;
        let EntryLine { user_id, movie_id, kind, value, occurred_at, recommendation_id } = entry;
        if let (Ok(movie_id), Some(kind)) = (i32::try_from(movie_id), FeedbackKind::parse(&kind, value)) {
            let occurred_at = occurred_at.timestamp();
            self.entries.push(FeedbackEntry { user_id, movie_id, kind, occurred_at, recommendation_id });
        }
    }
}

/// A text as it is, or a number as text.
fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = concat!(
        "{\"epoch\":\"e7\"}\n",
        "{\"user_id\":1,\"movie_id\":5,\"kind\":\"rating\",\"value\":8.5,\"occurred_at\":\"2026-01-02T03:04:05Z\",",
        "\"recommendation_id\":\"5f2c0d1e\"}\n",
        "{\"user_id\":1,\"movie_id\":6,\"kind\":\"watchlist\",\"occurred_at\":\"2026-01-02T03:04:05Z\"}\n",
        "{\"user_id\":2,\"movie_id\":99999999999,\"kind\":\"like\",\"occurred_at\":\"2026-01-02T03:04:05.5Z\"}\n",
        "{\"end\":true,\"next\":\"c9\"}\n",
    );

    fn read(pieces: &[&[u8]]) -> Result<Increment, PeerError> {
        let mut reader = IncrementReader::default();
        for piece in pieces {
            reader.feed(piece)?;
        }
        reader.finish()
    }

    #[test]
    fn it_is_the_same_in_any_two_pieces() {
        for cut in 0..=WHOLE.len() {
            let increment = read(&[&WHOLE.as_bytes()[..cut], &WHOLE.as_bytes()[cut..]]).expect("whole");
            assert_eq!(increment.next, FeedPosition { epoch: "e7".into(), cursor: "c9".into() });
            let expected = FeedbackEntry {
                user_id: 1,
                movie_id: 5,
                kind: FeedbackKind::Rating(8.5),
                occurred_at: 1_767_323_045,
                recommendation_id: Some("5f2c0d1e".into()),
            };
            assert_eq!(increment.entries, [expected]);
        }
    }

    #[test]
    fn every_truncation_and_anything_behind_the_end_is_an_error() {
        for length in 0..WHOLE.len() - 1 {
            assert!(read(&[&WHOLE.as_bytes()[..length]]).is_err(), "cut after {length} bytes");
        }
        assert!(read(&[WHOLE.as_bytes(), b"{\"end\":true,\"next\":\"c9\"}\n"]).is_err());
        assert!(read(&[b"[]\n"]).is_err());
    }
}

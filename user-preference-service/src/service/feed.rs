//! All interactions as lines of JSON (NDJSON), in bounded memory however many there are and however slowly they are read: a
//! page is read when the client has taken the one before.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use serde::Serialize;

use super::ServiceError;
use crate::{
    database::postgres::{Database, DatabaseError},
    models::feed::{Cursor, FeedEntry, FeedLimit, Position},
    repository::feed::{self, Extent},
};

/// Interactions that are read at once.
const PAGE_SIZE: usize = 2000;

/// Lines; an error means that the answer is not complete and the connection must not end as if it were.
pub type Lines = BoxStream<'static, Result<Bytes, DatabaseError>>;

#[derive(Serialize)]
struct FirstLine<'a> {
    epoch: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    user_id: i64,
    movie_id: i32,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f32>,
    occurred_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommendation_id: Option<&'a str>,
}

#[derive(Serialize)]
struct LastLine {
    end: bool,
    rows: usize,
    next: String,
}

/// The use case.
#[derive(Clone)]
pub struct Feed {
    database: Database,
}

impl Feed {
    /// Reads from `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// What was recorded after `after`, in an order without gaps; everything when that belongs to another epoch.
    ///
    /// # Errors
    /// A failure of the database before the first line.
    pub async fn read(&self, after: Option<Cursor>, limit: FeedLimit) -> Result<Lines, ServiceError> {
        let extent = feed::extent(&self.database).await?;
        // What this server has not reached yet was given out before it was restored from a backup.
        let known = |cursor: &Cursor| cursor.epoch == extent.epoch && cursor.position.transaction < extent.end;
        let after = after.filter(known);
        let first = line(&FirstLine { epoch: &extent.epoch, after: after.as_ref().map(Cursor::to_string) });
        let position = after.map(|cursor| cursor.position).unwrap_or_default();
        let mut reader = Reader { database: self.database.clone(), extent, position, rows: 0, limit: limit.get() };
        // Read before the answer begins, so that a failure can still be told.
        let page = reader.next_page().await?;
        let rest = stream::try_unfold(Some(reader), async |reader| {
            let Some(mut reader) = reader else { return Ok(None) };
            let page = reader.next_page().await?;
            Ok(Some(match page {
                Some(page) => (page, Some(reader)),
                None => (reader.last_line(), None),
            }))
        });
        Ok(stream::iter([Some(first), page]).filter_map(async |piece| piece.map(Ok)).chain(rest).boxed())
    }
}

struct Reader {
    database: Database,
    extent: Extent,
    /// Behind what was read.
    position: Position,
    rows: usize,
    limit: usize,
}

impl Reader {
    /// The lines of the next page; `None` when there are no more.
    async fn next_page(&mut self) -> Result<Option<Bytes>, DatabaseError> {
        let size = PAGE_SIZE.min(self.limit - self.rows);
        if size == 0 {
            return Ok(None);
        }
        let entries = feed::page(&self.database, self.position, self.extent.end, size).await?;
        let Some(last) = entries.last() else { return Ok(None) };
        self.position = last.position;
        self.rows += entries.len();
        let mut lines = Vec::with_capacity(entries.len() * 128);
        entries.iter().for_each(|entry| append(&mut lines, &Line::from(entry)));
        Ok(Some(lines.into()))
    }

    fn last_line(&self) -> Bytes {
        let next = Cursor { epoch: self.extent.epoch.clone(), position: self.position }.to_string();
        line(&LastLine { end: true, rows: self.rows, next })
    }
}

impl<'a> From<&'a FeedEntry> for Line<'a> {
    fn from(entry: &'a FeedEntry) -> Self {
        Self {
            user_id: entry.user_id,
            movie_id: entry.movie_id,
            kind: &entry.kind,
            value: entry.value,
            occurred_at: entry.occurred_at,
            recommendation_id: entry.recommendation_id.as_deref(),
        }
    }
}

fn line(value: &impl Serialize) -> Bytes {
    let mut line = Vec::new();
    append(&mut line, value);
    line.into()
}

fn append(lines: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(&mut *lines, value).expect("texts, times and finite numbers always serialise");
    lines.push(b'\n');
}

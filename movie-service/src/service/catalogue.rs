//! The catalogue, or what changed in it, as lines of JSON (NDJSON), in bounded memory however large it is and however slowly it is read.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use serde::Serialize;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    database::postgres::{Database, DatabaseError},
    lifecycle::Lifecycle,
    repository::snapshot::{self, Snapshot, SnapshotGenre, SnapshotMovie},
};

use super::error::Unavailable;

/// Lines are handed on in pieces of about this many bytes.
const PIECE_BYTES: usize = 32 * 1024;
/// Pieces that may wait for the reader.
const PIECES_AHEAD: usize = 2;
/// Longest wait for the reader to take a piece.
const READER_TIMEOUT: Duration = Duration::from_secs(30);
/// Ids of deleted movies in one line.
const IDS_OF_A_LINE: usize = 1000;

/// A copy in the making.
pub struct CatalogueStream {
    /// The version of the copy.
    pub version: String,
    /// A piece that fails means that the copy is not complete and the connection must not end as if it were.
    pub pieces: BoxStream<'static, Result<Bytes, Unavailable>>,
}

struct Piece {
    bytes: Bytes,
    is_last: bool,
}

#[derive(Serialize)]
struct FirstLine<'a> {
    catalogue_version: &'a str,
    genres: &'a [SnapshotGenre],
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a str>,
}

#[derive(Serialize)]
struct DeletedLine<'a> {
    deleted: &'a [i32],
}

#[derive(Serialize)]
struct LastLine {
    end: bool,
    movies: usize,
    #[serde(flatten)]
    changes: Option<ChangesEnd>,
}

/// By which a reader knows that its copy is whole again.
#[derive(Serialize)]
struct ChangesEnd {
    deleted: usize,
    total: i64,
}

/// The use case. Clones share the same state.
#[derive(Clone)]
pub struct Catalogue {
    database: Database,
    lifecycle: Lifecycle,
}

impl Catalogue {
    /// Reads from `database`.
    pub fn new(database: Database, lifecycle: Lifecycle) -> Self {
        Self { database, lifecycle }
    }

    /// The version now, by one small query.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn version(&self) -> Result<String, Unavailable> {
        Ok(snapshot::version(&self.database).await?)
    }

    /// Begins a copy of one moment: what changed after the version `since`, or everything when that is not known (any more),
    /// or nearly as much. A task reads ahead of whoever takes the pieces, and ends when they are dropped.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stream(&self, since: Option<String>) -> Result<CatalogueStream, Unavailable> {
        let (begun, version) = oneshot::channel();
        let (pieces, taken) = mpsc::channel(PIECES_AHEAD);
        let database = self.database.clone();
        self.lifecycle.spawn(async move {
            if let Ok(mut snapshot) = Snapshot::open(&database, since.as_deref()).await {
                // Whoever asked may be gone: then the first piece finds nobody.
                let _ = begun.send(snapshot.version.clone());
                // Broken off, it ends without its last piece, which the other side sees.
                let written = write(&mut snapshot, since.as_deref(), &pieces).await;
                snapshot.end(written.is_ok()).await;
            }
        });
        let version = version.await.map_err(|_| Unavailable)?;
        Ok(CatalogueStream { version, pieces: whole_or_failed(taken).boxed() })
    }
}

/// A copy was broken off: the reason is in the log, or the reader is gone.
struct BrokenOff;

/// The pieces; a failure where the last one should be, if it does not come.
fn whole_or_failed(taken: mpsc::Receiver<Piece>) -> impl Stream<Item = Result<Bytes, Unavailable>> {
    stream::unfold((taken, false), |(mut taken, is_over)| async move {
        match taken.recv().await {
            _ if is_over => None,
            Some(Piece { bytes, is_last }) => Some((Ok(bytes), (taken, is_last))),
            None => Some((Err(Unavailable), (taken, true))),
        }
    })
}

async fn write(snapshot: &mut Snapshot, since: Option<&str>, pieces: &mpsc::Sender<Piece>) -> Result<(), BrokenOff> {
    let mut buffer = Vec::with_capacity(PIECE_BYTES + 1024);
    let since = since.filter(|_| snapshot.changes.is_some());
    append(&mut buffer, &FirstLine { catalogue_version: &snapshot.version, genres: &snapshot.genres, since });
    // Of all movies, the ids are nobody's business.
    let (mut movies, mut sent) = (0, Vec::new());
    let mut rows = snapshot.movies();
    while let Some(movie) = rows.next().await {
        let movie: SnapshotMovie = movie.map_err(|error| {
            DatabaseError::from_read(error).log("read the catalogue");
            BrokenOff
        })?;
        append(&mut buffer, &movie);
        movies += 1;
        if since.is_some() {
            sent.push(movie.id);
        }
        if buffer.len() >= PIECE_BYTES {
            hand_on(&mut buffer, false, pieces).await?;
        }
    }
    drop(rows);
    let changes = match &snapshot.changes {
        Some(changed) => {
            let gone: Vec<i32> = changed.iter().copied().filter(|id| sent.binary_search(id).is_err()).collect();
            for deleted in gone.chunks(IDS_OF_A_LINE) {
                append(&mut buffer, &DeletedLine { deleted });
                hand_on(&mut buffer, false, pieces).await?;
            }
            Some(ChangesEnd { deleted: gone.len(), total: snapshot.total })
        }
        None => None,
    };
    append(&mut buffer, &LastLine { end: true, movies, changes });
    hand_on(&mut buffer, true, pieces).await
}

fn append(buffer: &mut Vec<u8>, line: &impl Serialize) {
    serde_json::to_writer(&mut *buffer, line).expect("texts and finite numbers always serialise");
    buffer.push(b'\n');
}

async fn hand_on(buffer: &mut Vec<u8>, is_last: bool, pieces: &mpsc::Sender<Piece>) -> Result<(), BrokenOff> {
    let bytes = Bytes::from(std::mem::replace(buffer, Vec::with_capacity(PIECE_BYTES + 1024)));
    match timeout(READER_TIMEOUT, pieces.send(Piece { bytes, is_last })).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(BrokenOff),
    }
}

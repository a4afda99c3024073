//! Many new movies in one request: lines are read, checked and stored in batches, and reported once their batch is
//! committed. Reading goes on while a batch is stored, and whether or not anybody reads the reports.

mod reader;
mod writer;

use std::{
    convert::Infallible,
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

use crate::{
    database::postgres::Database,
    lifecycle::Lifecycle,
    models::{
        draft::{BodyError, Draft},
        genre::{KnownGenres, UnknownGenre},
        stored_movie::StoredMovie,
    },
    repository::{cache::Cache, genres},
};

use super::error::Unavailable;

/// Most bytes that are read.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Limit for the whole request; the gateway waits 120 seconds.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(110);
/// Batches that may wait while another one is stored.
const QUEUED_BATCHES: usize = 1;
/// Batches of this process that may be in the database at the same time: writers of the catalogue wait for each other,
/// so more would only hold connections.
const CONCURRENT_BATCHES: usize = 2;

/// Why a line was not stored, or not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineError {
    /// It is not a movie.
    Invalid(BodyError),
    /// It names an unknown genre.
    UnknownGenre(UnknownGenre),
    /// Another movie has its id at TMDB.
    TmdbIdTaken,
    /// It has more than 64 KiB.
    TooLong,
    /// It is line 10,001 or a later one; reading ends there.
    TooManyLines,
    /// It is beyond [`MAX_BYTES`]; reading ends there.
    TooLarge,
    /// It did not arrive in time; reading ends there.
    TooSlow,
    /// The service is stopping.
    Stopping,
    /// The database is not available; the line was not stored.
    Unavailable,
    /// The database did not confirm it: it may be stored or not.
    Unconfirmed,
}

/// Where reading ended early, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTried {
    /// The first line, counted from 1, that was not read and has no report.
    pub from: usize,
    /// The reason.
    pub error: LineError,
}

/// The results of the lines, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The number of a line, counted from 1, and the id of its movie.
    Line(usize, Result<i32, LineError>),
    /// The last report.
    End {
        /// Lines that were stored.
        stored: usize,
        /// Lines that were not.
        failed: usize,
        /// Set when reading ended before the body did.
        not_tried: Option<NotTried>,
    },
}

/// Why no more of the body arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFailure {
    /// Too long a pause.
    TooSlow,
    /// The connection is gone, or what it carries cannot be read.
    CutOff,
}

/// The body as it arrives.
pub type Chunks = BoxStream<'static, Result<Bytes, ReadFailure>>;

/// Reads and checks a line.
pub type ParseLine = fn(&[u8]) -> Result<Draft, BodyError>;

/// Checked lines with their numbers.
#[derive(Debug, Default)]
struct Batch {
    lines: Vec<(usize, Result<StoredMovie, LineError>)>,
    /// Length of the lines.
    bytes: usize,
    /// Set in the last batch when reading ended before the body did.
    not_tried: Option<NotTried>,
}

/// The use case. Clones share the same state.
#[derive(Clone)]
pub struct Bulk {
    database: Database,
    cache: Cache,
    lifecycle: Lifecycle,
    write_permits: Arc<Semaphore>,
}

impl Bulk {
    /// Writes to `database` and invalidates `cache`.
    pub fn new(database: Database, cache: Cache, lifecycle: Lifecycle) -> Self {
        Self { database, cache, lifecycle, write_permits: Arc::new(Semaphore::new(CONCURRENT_BATCHES)) }
    }

    /// Stores what arrives, in a task that does not end when the reports are dropped: each complete line that arrived is
    /// stored. At most a report a line is buffered.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(
        &self,
        chunks: Chunks,
        parse: ParseLine,
    ) -> Result<impl Stream<Item = Vec<Report>> + use<>, Unavailable> {
        let known = genres::all(&self.database).await?;
        let (reports, receiver) = mpsc::unbounded_channel();
        let this = self.clone();
        self.lifecycle.spawn(async move { this.run(chunks, parse, KnownGenres::new(known), reports).await });
        Ok(stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) }))
    }

    async fn run(
        self,
        chunks: Chunks,
        parse: ParseLine,
        known: KnownGenres,
        reports: mpsc::UnboundedSender<Vec<Report>>,
    ) {
        let (sender, batches) = mpsc::channel(QUEUED_BATCHES);
        let (stop, deadline) = (self.lifecycle.stop_token(), Instant::now() + TOTAL_TIMEOUT);
        let (mut chunks, prefetch) = prefetch(chunks);
        let read = async {
            let at_end = reader::Reader::new(parse, known, sender, stop, deadline).read(&mut chunks).await;
            if !at_end {
                // Otherwise the client may be told that its connection broke instead of the reason.
                reader::drain(&mut chunks).await;
            }
        };
        let read = async {
            tokio::select! {
                () = read => {}
                never = prefetch => match never {},
            }
        };
        let write = writer::Writer::new(&self, deadline).write_all(batches, &reports);
        // The stream of reports ends when both are done.
        tokio::join!(read, write);
    }
}

/// Reads one chunk ahead while earlier ones wait to be stored, so that the wait for the database does not count as a slow
/// sender. Chunks arrive as long as the future beside them is polled.
fn prefetch(mut chunks: Chunks) -> (Chunks, impl Future<Output = Infallible>) {
    let (sender, receiver) = mpsc::channel(1);
    let forward = async move {
        while let Some(chunk) = chunks.next().await
            && sender.send(chunk).await.is_ok()
        {}
        drop(sender);
        pending().await
    };
    (stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) }).boxed(), forward)
}

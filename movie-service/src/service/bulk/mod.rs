//! Many new movies in one go: lines are read, checked and stored in batches, and reported on once their batch is
//! committed. Reading goes on while a batch is stored, and whether or not anybody reads the reports.

mod lines;
mod reading;
mod storing;

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
use sqlx::PgPool;
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

use crate::{
    lifecycle::Lifecycle,
    models::{
        draft::BodyError,
        genre::{KnownGenres, UnknownGenre},
        record::StoredMovie,
    },
    repository::{cache::Cache, genres, log_failure},
};

use super::movies::Unavailable;

/// Most bytes that are read.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest time for all of it; the gateway waits 120 seconds.
const LONGEST_TIME: Duration = Duration::from_secs(110);
/// Batches that may wait for those before them to be stored.
const BATCHES_AHEAD: usize = 1;
/// Batches of this process that are under way at the same time: writers take turns, so that more would only keep
/// connections from others.
const STORED_TOGETHER: usize = 2;

/// Why a line was not stored, or not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineError {
    /// It is not a movie.
    Invalid(BodyError),
    /// It names a genre that there is not.
    UnknownGenre(UnknownGenre),
    /// Another movie has its id at TMDB.
    TmdbIdTaken,
    /// It has more than 64 KiB.
    TooLong,
    /// It is line 10,001 or a later one: the end.
    TooManyLines,
    /// It is beyond [`MAX_BYTES`]: the end.
    TooLarge,
    /// It did not arrive in time: the end.
    TooSlow,
    /// The service is stopping.
    Stopping,
    /// The database does not work; the line was not stored.
    Unavailable,
    /// The database did not confirm it: it may be stored or not.
    Unconfirmed,
}

/// What became of the lines, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The number of a line, counted from 1, and the id of its movie.
    Line(usize, Result<i32, LineError>),
    /// Nothing follows.
    End {
        /// Lines that were stored.
        stored: usize,
        /// Lines that were not.
        failed: usize,
    },
}

/// Why nothing more arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFailure {
    /// Too long a pause.
    TooSlow,
    /// The connection is gone, or what it carries cannot be read.
    CutOff,
}

/// What arrives.
pub type Pieces = BoxStream<'static, Result<Bytes, ReadFailure>>;

/// Lines with their numbers, checked.
type Batch = Vec<(usize, Result<StoredMovie, LineError>)>;

/// The use case. Clones share the same state.
#[derive(Clone)]
pub struct Bulk {
    pool: PgPool,
    cache: Cache,
    lifecycle: Lifecycle,
    turns: Arc<Semaphore>,
}

impl Bulk {
    /// Writes to `pool`, and makes what is in `cache` invalid.
    pub fn new(pool: PgPool, cache: Cache, lifecycle: Lifecycle) -> Self {
        Self { pool, cache, lifecycle, turns: Arc::new(Semaphore::new(STORED_TOGETHER)) }
    }

    /// Stores what arrives. A task does it, which does not end when the reports are dropped: what has arrived whole is
    /// stored. At most a report a line waits to be taken.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(&self, pieces: Pieces) -> Result<impl Stream<Item = Vec<Report>> + use<>, Unavailable> {
        let known = genres::all(&self.pool).await.map_err(|error| {
            log_failure(&error, "read genres");
            Unavailable
        })?;
        let (reports, taken) = mpsc::unbounded_channel();
        let this = self.clone();
        self.lifecycle.spawn(async move { this.run(pieces, KnownGenres::new(known), reports).await });
        Ok(stream::unfold(taken, |mut taken| async move { Some((taken.recv().await?, taken)) }))
    }

    async fn run(self, pieces: Pieces, known: KnownGenres, reports: mpsc::UnboundedSender<Vec<Report>>) {
        let (batches, filled) = mpsc::channel(BATCHES_AHEAD);
        let (stop, give_up) = (self.lifecycle.stop_token(), Instant::now() + LONGEST_TIME);
        let (mut pieces, arriving) = ahead(pieces);
        let reading = async {
            let is_over = reading::Reader::new(known, batches, stop, give_up).read(&mut pieces).await;
            if !is_over {
                // Otherwise the client may be told that its connection broke instead of why.
                reading::throw_away(&mut pieces).await;
            }
        };
        let reading = async {
            tokio::select! {
                () = reading => {}
                never = arriving => match never {},
            }
        };
        let storing = storing::Storage::new(&self, give_up).store_all(filled, &reports);
        // The reports end with this.
        tokio::join!(reading, storing);
    }
}

/// Takes a piece from its sender while those before wait to be stored: how long that takes says nothing about how fast
/// the sender is. The pieces come as long as the future beside them is polled.
fn ahead(mut pieces: Pieces) -> (Pieces, impl Future<Output = Infallible>) {
    let (taken, ready) = mpsc::channel(1);
    let arriving = async move {
        while let Some(piece) = pieces.next().await
            && taken.send(piece).await.is_ok()
        {}
        drop(taken);
        pending().await
    };
    (stream::unfold(ready, |mut ready| async { Some((ready.recv().await?, ready)) }).boxed(), arriving)
}

//! From pieces of text to batches of checked movies.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::models::{draft::Draft, genre::KnownGenres, record::StoredMovie};

use super::{
    Batch, LineError, MAX_BYTES, Pieces, ReadFailure,
    lines::{Line, Lines},
};

/// Most lines of a request, blank ones included.
const MAX_LINES: usize = 10_000;
/// A batch is complete with so many lines, or with lines of so many bytes, or after such a pause.
const BATCH_LINES: usize = 1000;
const BATCH_BYTES: usize = 1024 * 1024;
const BATCH_PAUSE: Duration = Duration::from_millis(200);
/// Longest time to throw away what nobody wants to read.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// What comes next.
enum Next {
    Piece(Bytes),
    Pause,
    /// The end, as it should be.
    End,
    /// The connection is gone: whoever sent it reads no reports either.
    CutOff,
    Refused(LineError),
}

/// There is nobody to store anything any more, or nothing more to be read.
struct Over;

/// Reads the lines of one request.
pub(super) struct Reader {
    known: KnownGenres,
    batches: mpsc::Sender<Batch>,
    stop: CancellationToken,
    give_up: Instant,
    lines: Lines,
    bytes: usize,
    batch: Batch,
    batch_bytes: usize,
}

impl Reader {
    pub(super) fn new(
        known: KnownGenres,
        batches: mpsc::Sender<Batch>,
        stop: CancellationToken,
        give_up: Instant,
    ) -> Self {
        Self { known, batches, stop, give_up, lines: Lines::default(), bytes: 0, batch: Batch::new(), batch_bytes: 0 }
    }

    /// Reads until the end, or until it must not go on. Says whether it was the end.
    pub(super) async fn read(mut self, pieces: &mut Pieces) -> bool {
        loop {
            match self.next(pieces).await {
                Next::Piece(piece) => {
                    if self.take(&piece).await.is_err() {
                        return false;
                    }
                }
                Next::Pause => {
                    if self.hand_on().await.is_err() {
                        return false;
                    }
                }
                Next::End => return self.end().await,
                Next::CutOff => {
                    let _ = self.hand_on().await;
                    return true;
                }
                Next::Refused(error) => {
                    self.refuse(error).await;
                    return false;
                }
            }
        }
    }

    async fn next(&mut self, pieces: &mut Pieces) -> Next {
        let pause = if self.batch.is_empty() { self.give_up } else { Instant::now() + BATCH_PAUSE };
        let next = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Next::Refused(LineError::Stopping),
            next = timeout_at(pause.min(self.give_up), pieces.next()) => next,
        };
        match next {
            Err(_) if Instant::now() >= self.give_up => Next::Refused(LineError::TooSlow),
            Err(_) => Next::Pause,
            Ok(None) => Next::End,
            Ok(Some(Err(ReadFailure::TooSlow))) => Next::Refused(LineError::TooSlow),
            Ok(Some(Err(ReadFailure::CutOff))) => Next::CutOff,
            Ok(Some(Ok(piece))) => {
                self.bytes += piece.len();
                if self.bytes > MAX_BYTES { Next::Refused(LineError::TooLarge) } else { Next::Piece(piece) }
            }
        }
    }

    async fn take(&mut self, mut piece: &[u8]) -> Result<(), Over> {
        while let Some(line) = self.lines.next(&mut piece) {
            self.add(self.lines.count, line).await?;
        }
        Ok(())
    }

    async fn add(&mut self, number: usize, line: Line<'_>) -> Result<(), Over> {
        let text = match line {
            Line::Blank => return Ok(()),
            _ if number > MAX_LINES => {
                self.batch.push((number, Err(LineError::TooManyLines)));
                let _ = self.hand_on().await;
                return Err(Over);
            }
            Line::TooLong => {
                self.batch.push((number, Err(LineError::TooLong)));
                return Ok(());
            }
            Line::Text(text) => text,
        };
        self.batch.push((number, parse(&text, &self.known)));
        self.batch_bytes += text.len();
        if self.batch.len() >= BATCH_LINES || self.batch_bytes >= BATCH_BYTES {
            self.hand_on().await?;
        }
        Ok(())
    }

    async fn hand_on(&mut self) -> Result<(), Over> {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        self.batches.send(batch).await.map_err(|_| Over)
    }

    /// The last line need not have an end.
    async fn end(mut self) -> bool {
        if let Some((number, line)) = std::mem::take(&mut self.lines).last()
            && self.add(number, line).await.is_err()
        {
            return true;
        }
        let _ = self.hand_on().await;
        true
    }

    /// Reports on the line that is not complete, or the one after the last, and reads no further.
    async fn refuse(mut self, error: LineError) {
        self.batch.push((self.lines.count + 1, Err(error)));
        let _ = self.hand_on().await;
    }
}

fn parse(line: &[u8], known: &KnownGenres) -> Result<StoredMovie, LineError> {
    Draft::parse(line).map_err(LineError::Invalid)?.create(known).map_err(LineError::UnknownGenre)
}

/// Reads on without looking, within limits.
pub(super) async fn throw_away(pieces: &mut Pieces) {
    let reading = async {
        let mut left = MAX_BYTES;
        while let Some(Ok(piece)) = pieces.next().await {
            let Some(less) = left.checked_sub(piece.len()) else { return };
            left = less;
        }
    };
    // Whether it ended or not, the reports end now.
    let _ = timeout(LONGEST_REST, reading).await;
}

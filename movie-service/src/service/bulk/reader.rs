//! From the chunks of a body to batches of checked movies.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{
    codec::{Decoder, LinesCodec, LinesCodecError},
    sync::CancellationToken,
};

use crate::models::{draft::BodyError, genre::KnownGenres, stored_movie::StoredMovie};

use super::{Batch, Chunks, LineError, MAX_BYTES, NotTried, ParseLine, ReadFailure};

/// Longest line in bytes.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// Most lines of a request, blank ones included.
const MAX_LINES: usize = 10_000;
/// A batch is complete with so many lines, or with lines of so many bytes, or after such a pause.
const BATCH_LINES: usize = 1000;
const BATCH_BYTES: usize = 1024 * 1024;
const BATCH_PAUSE: Duration = Duration::from_millis(200);
/// Limit for reading the rest of a body whose lines are not wanted.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What comes next.
enum Next {
    Chunk(Bytes),
    Pause,
    /// The regular end of the body.
    End,
    /// The connection is gone: its client reads no reports either.
    CutOff,
    Rejected(LineError),
}

/// No line is read any more.
struct Closed;

/// Reads the lines of one request.
pub(super) struct Reader {
    parse: ParseLine,
    known: KnownGenres,
    batches: mpsc::Sender<Batch>,
    stop: CancellationToken,
    deadline: Instant,
    /// Used without `FramedRead`, whose stream ends after an error: a line that is too long does not end the request.
    codec: LinesCodec,
    buffer: BytesMut,
    /// Lines so far.
    count: usize,
    /// Bytes so far.
    received: usize,
    batch: Batch,
}

impl Reader {
    pub(super) fn new(
        parse: ParseLine,
        known: KnownGenres,
        batches: mpsc::Sender<Batch>,
        stop: CancellationToken,
        deadline: Instant,
    ) -> Self {
        Self {
            parse,
            known,
            batches,
            stop,
            deadline,
            codec: LinesCodec::new_with_max_length(MAX_LINE_BYTES),
            buffer: BytesMut::new(),
            count: 0,
            received: 0,
            batch: Batch::default(),
        }
    }

    /// Reads to the end of the body, or until it must stop. Whether it was the end.
    pub(super) async fn read(mut self, chunks: &mut Chunks) -> bool {
        loop {
            match self.next(chunks).await {
                Next::Chunk(chunk) => {
                    self.buffer.extend_from_slice(&chunk);
                    if self.take_lines(LinesCodec::decode).await.is_err() {
                        return false;
                    }
                }
                Next::Pause => {
                    if self.flush().await.is_err() {
                        return false;
                    }
                }
                Next::End => {
                    // The last line need not have an end.
                    if self.take_lines(LinesCodec::decode_eof).await.is_ok() {
                        let _ = self.flush().await;
                    }
                    return true;
                }
                Next::CutOff => {
                    let _ = self.flush().await;
                    return true;
                }
                Next::Rejected(error) => {
                    self.reject(self.count + 1, error).await;
                    return false;
                }
            }
        }
    }

    async fn next(&mut self, chunks: &mut Chunks) -> Next {
        let pause = if self.batch.lines.is_empty() { self.deadline } else { Instant::now() + BATCH_PAUSE };
        let next = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Next::Rejected(LineError::Stopping),
            next = timeout_at(pause.min(self.deadline), chunks.next()) => next,
        };
        match next {
            Err(_) if Instant::now() >= self.deadline => Next::Rejected(LineError::TooSlow),
            Err(_) => Next::Pause,
            Ok(None) => Next::End,
            Ok(Some(Err(ReadFailure::TooSlow))) => Next::Rejected(LineError::TooSlow),
            Ok(Some(Err(ReadFailure::CutOff))) => Next::CutOff,
            Ok(Some(Ok(chunk))) => {
                self.received += chunk.len();
                if self.received > MAX_BYTES { Next::Rejected(LineError::TooLarge) } else { Next::Chunk(chunk) }
            }
        }
    }

    /// Takes each line that `decode` finds in the buffer.
    async fn take_lines(
        &mut self,
        decode: fn(&mut LinesCodec, &mut BytesMut) -> Result<Option<String>, LinesCodecError>,
    ) -> Result<(), Closed> {
        while let Some(line) = decode(&mut self.codec, &mut self.buffer).transpose() {
            self.count += 1;
            self.add(line).await?;
        }
        Ok(())
    }

    async fn add(&mut self, line: Result<String, LinesCodecError>) -> Result<(), Closed> {
        if line.as_ref().is_ok_and(|text| text.bytes().all(|byte| byte.is_ascii_whitespace())) {
            return Ok(());
        }
        if self.count > MAX_LINES {
            self.reject(self.count, LineError::TooManyLines).await;
            return Err(Closed);
        }
        let movie = match line {
            Ok(text) => {
                self.batch.bytes += text.len();
                self.parse(text.as_bytes())
            }
            Err(LinesCodecError::MaxLineLengthExceeded) => Err(LineError::TooLong),
            // It is not UTF-8.
            Err(LinesCodecError::Io(_)) => Err(LineError::Invalid(BodyError::Malformed { field: None })),
        };
        self.batch.lines.push((self.count, movie));
        if self.batch.lines.len() >= BATCH_LINES || self.batch.bytes >= BATCH_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    fn parse(&self, line: &[u8]) -> Result<StoredMovie, LineError> {
        let draft = (self.parse)(line).map_err(LineError::Invalid)?;
        draft.create(&self.known).map_err(LineError::UnknownGenre)
    }

    async fn flush(&mut self) -> Result<(), Closed> {
        let batch = std::mem::take(&mut self.batch);
        if batch.lines.is_empty() {
            return Ok(());
        }
        self.batches.send(batch).await.map_err(|_| Closed)
    }

    /// Reports the line that is not complete, or the one after the last, and reads no further.
    async fn reject(&mut self, line: usize, error: LineError) {
        self.batch.lines.push((line, Err(error.clone())));
        self.batch.not_tried = Some(NotTried { from: line + 1, error });
        let _ = self.flush().await;
    }
}

/// Reads on and ignores it, within limits.
pub(super) async fn drain(chunks: &mut Chunks) {
    let read = async {
        let mut left = MAX_BYTES;
        while let Some(Ok(chunk)) = chunks.next().await {
            let Some(less) = left.checked_sub(chunk.len()) else { return };
            left = less;
        }
    };
    // Whether it ended or not, the reports end now.
    let _ = timeout(DRAIN_TIMEOUT, read).await;
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    /// The lines of a body that arrives in these chunks, with their numbers and errors.
    async fn lines<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<(usize, Option<LineError>)> {
        let (sender, mut batches) = mpsc::channel(100);
        let deadline = Instant::now() + Duration::from_secs(60);
        let reader = Reader::new(
            crate::handler::write_values::parse_line,
            KnownGenres::new(Vec::new()),
            sender,
            CancellationToken::new(),
            deadline,
        );
        let chunks: Vec<_> = chunks.into_iter().map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        assert!(reader.read(&mut stream::iter(chunks).boxed()).await, "the end is reached");
        let mut found = Vec::new();
        while let Some(batch) = batches.recv().await {
            found.extend(batch.lines.into_iter().map(|(number, movie)| (number, movie.err())));
        }
        found
    }

    #[tokio::test]
    async fn lines_end_with_a_line_feed_and_the_last_one_may_go_without() {
        let movie = "{\"title\":\"x\"}";
        let body = format!("{movie}\n\r\n{movie}\r\n \n\n{movie}");
        assert_eq!(lines([body.as_bytes()]).await, [(1, None), (3, None), (6, None)]);
        assert_eq!(lines([format!("{movie}\n").as_bytes()]).await, [(1, None)]);
        assert_eq!(lines([b"".as_slice()]).await, []);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_one_line_and_the_next_one_is_read() {
        let sized = |size: usize| format!("{{\"title\":\"x\",\"ignored\":\"{}\"}}", "x".repeat(size - 26));
        let (longest, longer) = (sized(MAX_LINE_BYTES), sized(MAX_LINE_BYTES + 1));
        assert_eq!((longest.len(), longer.len()), (MAX_LINE_BYTES, MAX_LINE_BYTES + 1));
        let body = format!("{longest}\n{longer}\n{{\"title\":\"x\"}}\n{longer}{longer}");
        for size in [1000, MAX_LINE_BYTES, body.len()] {
            let expected = [(1, None), (2, Some(LineError::TooLong)), (3, None), (4, Some(LineError::TooLong))];
            assert_eq!(lines(body.as_bytes().chunks(size)).await, expected, "{size}");
        }
    }

    #[tokio::test]
    async fn a_line_that_is_not_utf8_is_invalid_and_the_next_one_is_read() {
        let expected = [(1, Some(LineError::Invalid(BodyError::Malformed { field: None }))), (2, None)];
        assert_eq!(lines([b"{\"title\":\"\xff\"}\n{\"title\":\"x\"}".as_slice()]).await, expected);
    }

    proptest! {
        #[test]
        fn the_size_of_the_chunks_makes_no_difference(body in "[a1 \r\n]{0,40}", size in 1_usize..10) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
            let whole = runtime.block_on(lines([body.as_bytes()]));
            prop_assert_eq!(runtime.block_on(lines(body.as_bytes().chunks(size))), whole);
        }
    }
}

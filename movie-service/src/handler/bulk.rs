//! Many new movies in one request.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Serialize;

use crate::{
    App,
    error::{ApiError, ErrorBody},
    error_code::ErrorCode,
    service::{
        bulk::{LineError, MAX_BYTES, NotTried, ReadFailure, Report},
        error::ListError,
    },
};

use super::{
    manage::{tmdb_id_taken, unconfirmed},
    request::content_length,
    request_validation::body::{read_error, too_large, too_slow},
    responses::{BulkTooLarge, DatabaseUnavailable, UnsupportedEncoding},
    write_values::parse_line,
};

/// Create many movies
///
/// NDJSON: a movie a line, as for `POST /api/v1/movies`, up to 10,000 lines of at most 64 KiB and 16 MiB in all. Blank
/// lines are skipped, but counted. The answer is NDJSON too, a line for each, in the same order, sent as soon as that
/// movie is stored: `{"line":1,"status":201,"id":7}`, or why it is not, `{"line":2,"status":409,"error":"tmdb_id already
/// exists","code":"tmdb_id_exists","field":"tmdb_id"}`; the others are stored all the same. What comes after line 10,000
/// or after 16 MiB is not read: the line there gets status 413. A line of which it is not known whether it was stored
/// gets 504. The last line is `{"end":true,"stored":1,"failed":1}`: an answer without it is not complete. When reading ended
/// before the body did (too many lines, too slow, the service is stopping), it also has `not_tried_from`, the first line of
/// which nothing was read and which has no report, with `error` and `code`. Of a body that is cut off, the lines that had
/// arrived whole are stored.
#[utoipa::path(
    post,
    path = "/api/v1/movies/bulk",
    operation_id = "createMovies",
    tag = "movies",
    // Swagger UI would make one JSON string of whatever it sends as `application/x-ndjson`.
    request_body(content = String, content_type = "text/plain", description = "A movie a line, under any content type",
        example = "{\"title\":\"One\",\"genres\":[\"Drama\"]}\n{\"title\":\"Two\"}\n"),
    responses(
        (status = 200, description = "What became of each line", content_type = "application/x-ndjson", body = String),
        (status = 413, response = BulkTooLarge),
        (status = 415, response = UnsupportedEncoding),
        (status = 503, response = DatabaseUnavailable),
    )
)]
pub async fn bulk(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    if content_length(request.headers()).is_some_and(|length| length > MAX_BYTES as u64) {
        return Err(too_large());
    }
    let mut chunks = Box::pin(request.into_body().into_data_stream().map(|chunk| {
        let is_too_slow = |error: &axum::Error| read_error(error).status() == StatusCode::REQUEST_TIMEOUT;
        chunk.map_err(|error| if is_too_slow(&error) { ReadFailure::TooSlow } else { ReadFailure::CutOff })
    }));
    // Before the answer begins: a client that asked for permission to send (`Expect`) gets it only now.
    let first = chunks.next().await;
    let reports = app.bulk.begin(stream::iter(first).chain(chunks).boxed(), parse_line).await?;
    let lines = reports.map(|reports| Ok::<_, std::convert::Infallible>(text(reports)));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

#[derive(Serialize)]
#[serde(untagged)]
enum Line {
    Stored {
        line: usize,
        status: u16,
        id: i32,
    },
    Failed {
        line: usize,
        status: u16,
        #[serde(flatten)]
        error: ErrorBody,
    },
    End {
        end: bool,
        stored: usize,
        failed: usize,
        #[serde(flatten)]
        not_tried: Option<NotTriedBody>,
    },
}

/// Why the lines from `not_tried_from` on have no report.
#[derive(Serialize)]
struct NotTriedBody {
    not_tried_from: usize,
    #[serde(flatten)]
    error: ErrorBody,
}

fn text(reports: Vec<Report>) -> Bytes {
    let mut text = Vec::with_capacity(48 * reports.len());
    for report in reports {
        serde_json::to_writer(&mut text, &Line::from(report)).expect("texts and numbers always serialise");
        text.push(b'\n');
    }
    text.into()
}

impl From<Report> for Line {
    fn from(report: Report) -> Self {
        match report {
            Report::Line(line, Ok(id)) => Self::Stored { line, status: StatusCode::CREATED.as_u16(), id },
            Report::Line(line, Err(error)) => {
                let error = ApiError::from(error);
                Self::Failed { line, status: error.status().as_u16(), error: error.into_body() }
            }
            Report::End { stored, failed, not_tried } => {
                let body = |NotTried { from, error }| NotTriedBody {
                    not_tried_from: from,
                    error: ApiError::from(error).into_body(),
                };
                Self::End { end: true, stored, failed, not_tried: not_tried.map(body) }
            }
        }
    }
}

impl From<LineError> for ApiError {
    fn from(error: LineError) -> Self {
        match error {
            LineError::Invalid(error) => error.into(),
            LineError::UnknownGenre(unknown) => ListError::UnknownGenre(unknown).into(),
            LineError::TmdbIdTaken => tmdb_id_taken(),
            LineError::TooLong => Self::bad_request(ErrorCode::LineTooLong, "the line is longer than 65536 bytes"),
            LineError::TooManyLines => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooManyLines, "more than 10000 lines")
            }
            LineError::TooLarge => too_large(),
            LineError::TooSlow => too_slow(),
            LineError::Stopping => Self::unavailable("the service is stopping"),
            LineError::Unavailable => Self::unavailable("database unavailable"),
            LineError::Unconfirmed => unconfirmed(),
        }
    }
}

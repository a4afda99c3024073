//! `/internal/v1/feedback`, for recommendation-service.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::{
    request_validation::query::{QueryParameters, ValidQuery, invalid, strict},
    responses::{InvalidFeedRequest, ServerErrors},
};
use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::feed::{Cursor, FeedLimit},
};

/// What to read of the feed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ReadFeed {
    /// The `next` of the answer before; left out, the feed begins at its beginning.
    #[serde(deserialize_with = "cursor")]
    #[param(value_type = Option<String>, example = "7b0e1a52-3a3c-4d0c-9f4e-1d2c3b4a5f60.731.42")]
    after: Option<Cursor>,
    /// How many interactions at most.
    #[serde(deserialize_with = "limit")]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000000, default = 1000000)]
    limit: Option<FeedLimit>,
}

impl QueryParameters for ReadFeed {}

fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cursor>, D::Error> {
    let text = strict(deserializer, "it only once", |text| Some(text.to_owned()))?;
    let parse = |text: String| {
        Cursor::parse(&text).ok_or_else(|| invalid(ErrorCode::InvalidCursor, "the next of an earlier answer"))
    };
    text.map(parse).transpose()
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FeedLimit>, D::Error> {
    strict(deserializer, "a whole number from 1 to 1000000", FeedLimit::parse)
}

/// Read interactions for training
///
/// NDJSON, in an order without gaps: what is committed later comes later, and nothing that was acknowledged is ever skipped.
/// The first line is `{"epoch":"...","after":"CURSOR"}`; without `after` the answer begins at the beginning, also when the
/// cursor that was sent belongs to another epoch, and replaces what was read before. Then one line an interaction,
/// `{"user_id":1,"movie_id":42,"kind":"rating","value":8.5,"occurred_at":"2026-11-22T18:00:00Z","recommendation_id":"..."}`, with
/// `value` for ratings only and `recommendation_id` where one was named. The last line is
/// `{"end":true,"rows":1,"next":"CURSOR"}`: an answer without it is not complete. With fewer rows than `limit` there are no
/// more now. What was recorded while an older transaction was still running comes when that has ended.
#[utoipa::path(
    get,
    path = "/internal/v1/feedback",
    operation_id = "readFeedback",
    tag = "internal",
    params(ReadFeed),
    responses(
        (status = 200, description = "The interactions", content_type = "application/x-ndjson", body = String),
        (status = 400, response = InvalidFeedRequest),
        ServerErrors,
    )
)]
pub async fn read_feed(
    State(app): State<Arc<App>>,
    ValidQuery(query): ValidQuery<ReadFeed>,
) -> Result<Response, ApiError> {
    let lines = app.feed.read(query.after, query.limit.unwrap_or_default()).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

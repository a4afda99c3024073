//! The catalogue, or what changed in it, for the services that keep a copy of it. The gateway does not forward this.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{App, error::ApiError};

use super::{
    conditional::{if_none_match, is_named},
    responses::DatabaseUnavailable,
};

/// Copy the catalogue
///
/// NDJSON. The first line is `{"catalogue_version":"...","genres":[{"id":1,"name":"Action"}]}`, then one line a movie by
/// id, `{"id":1,"title":"...","release_date":"1999-03-31","popularity":85.3,"poster_path":"/poster.jpg",
/// "vote_average":8.2,"vote_count":26000,"original_language":"en","runtime":136,"genre_ids":[1,4]}`, and the last line is
/// `{"end":true,"movies":1}`: a copy without it is not complete. `release_date`, `poster_path` and `original_language` are empty
/// when unknown, `popularity` and `vote_average` null, `runtime` 0. The `ETag` is the version, which changes when, and only
/// when, one of these lines does.
///
/// With `since` the lines are what turns a copy of that version into one of this: the first line also has `"since":"..."` and
/// still all genres, then come the movies that were added or changed, then lines `{"deleted":[2,3]}`, and the last line is
/// `{"end":true,"movies":1,"deleted":2,"total":999}` with the number of all movies there are now. When that version is not known
/// (any more), or a quarter of the catalogue has changed, the answer is all of it, without `since` in its first line.
#[utoipa::path(
    get,
    path = "/internal/v1/catalogue",
    operation_id = "copyCatalogue",
    tag = "internal",
    params(
        ("since" = Option<String>, Query, description = "The version of the copy that is there already"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the copy that is there already"),
    ),
    responses(
        (status = 200, description = "The catalogue at one moment, or what changed until then",
            content_type = "application/x-ndjson", body = String,
            headers(("ETag" = String, description = "The version of the catalogue, in quotes"))),
        (status = 304, description = "The copy that is there already is up to date",
            headers(("ETag" = String, description = "The version of the catalogue, in quotes"))),
        (status = 503, response = DatabaseUnavailable),
    )
)]
pub async fn copy(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if headers.contains_key(header::IF_NONE_MATCH) {
        let etag = etag(&app.catalogue.version().await?);
        if is_named(&etag, if_none_match(&headers), true) {
            return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
        }
    }
    // Versions need no escapes, and any other text is a version that is not known.
    let query = query.unwrap_or_default();
    let since = query.split('&').find_map(|pair| pair.strip_prefix("since=")).map(str::to_owned);
    let copy = app.catalogue.stream(since).await?;
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson".to_owned()), (header::ETAG, etag(&copy.version))];
    Ok((headers, Body::from_stream(copy.pieces)).into_response())
}

fn etag(version: &str) -> String {
    format!("\"{version}\"")
}

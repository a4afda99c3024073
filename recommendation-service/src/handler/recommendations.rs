//! Recommendations for a user.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{query::first, rfc3339, schema::RecommendationParameters};
use crate::{
    App,
    error::{ApiError, ErrorBody},
    middleware::json_bytes,
    models::catalogue::Catalogue,
    models::{
        recommendation::{RankedMovie, RecommendationRequest, Recommendations},
        user_id::{UserId, UserIdError},
    },
    peers::trace_headers::TraceHeaders,
};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 50;
/// Stands before a poster path to make an address.
const POSTER_PREFIX: &str = "https://image.tmdb.org/t/p/w500";

/// A list of recommendations.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecommendationList<'a> {
    /// For whom.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// Best first.
    recommendations: Vec<Recommendation<'a>>,
    /// When the list was made.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    generated_at: String,
    /// Always true where it is given: the list is a general one, made without the user's profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = true)]
    degraded: Option<bool>,
    /// Why the list is a general one; given with `degraded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "user-preference-service is unavailable")]
    degraded_reason: Option<String>,
}

/// A recommended movie.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recommendation<'a> {
    /// The platform's own id.
    #[schema(example = 1)]
    id: i32,
    /// Its title.
    #[schema(example = "The Matrix")]
    title: &'a str,
    /// Day of release, or `""` when unknown.
    #[schema(example = "1999-03-31")]
    release_date: String,
    /// Names, sorted.
    #[schema(example = json!(["Action", "Science Fiction"]))]
    genres: Vec<&'a str>,
    /// As on TMDB; 0 when unknown.
    #[schema(example = 83.2)]
    popularity: f64,
    /// Address of the poster, or `""` when there is none.
    #[schema(example = "https://image.tmdb.org/t/p/w500/f89U3ADr1oiB1s9GkdPOEpXUk5H.jpg")]
    poster_url: Cow<'a, str>,
    /// Weighted sum, to four decimals.
    #[schema(example = 0.7312, minimum = 0)]
    score: f64,
    /// Why it is there.
    #[schema(example = "highly popular, matches your preferred genres")]
    reason: String,
}

impl<'a> From<&'a Recommendations> for RecommendationList<'a> {
    fn from(list: &'a Recommendations) -> Self {
        Self {
            user_id: list.user.get(),
            recommendations: list.movies.iter().map(|movie| Recommendation::new(&list.catalogue, movie)).collect(),
            generated_at: rfc3339(list.generated_at),
            degraded: list.degraded.map(|_| true),
            degraded_reason: list.degraded.map(|reason| reason.to_string()),
        }
    }
}

impl<'a> Recommendation<'a> {
    fn new(catalogue: &'a Catalogue, movie: &RankedMovie) -> Self {
        let index = movie.index;
        let poster = catalogue.poster_path(index);
        Self {
            id: catalogue.ids()[index],
            title: catalogue.title(index),
            release_date: catalogue.release_date(index).map(|date| date.to_string()).unwrap_or_default(),
            genres: catalogue.genres(index).collect(),
            popularity: catalogue.popularity()[index],
            poster_url: if poster.is_empty() { Cow::Borrowed("") } else { format!("{POSTER_PREFIX}{poster}").into() },
            score: movie.score,
            reason: movie.reasons.to_string(),
        }
    }
}

/// Recommend movies
///
/// Best first, by popularity, how recent a movie is, and the genres that the user prefers. Left out are movies that the
/// user has watched or disliked, and those rated below the user's minimum. While the user's profile cannot be read, the
/// list is a general one, and says so in `degraded` and `degraded_reason`.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/recommendations",
    operation_id = "getRecommendations",
    tag = "recommendations",
    params(
        ("id" = i64, Path, description = "The user", minimum = 1, example = 1),
        RecommendationParameters,
    ),
    responses(
        (status = 200, description = "The list", body = RecommendationList<'static>),
        (status = 400, description = "`invalid user ID`", body = ErrorBody),
        (status = 404, description = "`user not found`", body = ErrorBody),
        (status = 503, description = "Redis does not answer, or the catalogue is not loaded yet", body = ErrorBody),
        (status = 504, description = "It took too long", body = ErrorBody),
    )
)]
pub async fn get_recommendations(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(id) = path.map_err(|_| UserIdError::Invalid)?;
    let request = parse_request(id.parse()?, query.as_deref().unwrap_or_default());
    let trace = TraceHeaders::from_headers(&headers);
    Ok(json_bytes(StatusCode::OK, app.recommender.recommend(request, &trace, render).await?))
}

fn render(list: &Recommendations) -> Bytes {
    serde_json::to_vec(&RecommendationList::from(list)).expect("texts and finite numbers always serialise").into()
}

fn parse_request(user: UserId, query: &str) -> RecommendationRequest {
    let limit = first(query, "limit").and_then(|limit| limit.parse().ok());
    let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).unwrap_or(DEFAULT_LIMIT);
    let include_seen = first(query, "include_seen").is_some_and(|value| value == "true" || value == "1");
    RecommendationRequest { user, limit, include_seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str) -> RecommendationRequest {
        parse_request("1".parse().expect("an id"), query)
    }

    #[test]
    fn a_limit_outside_1_to_50_or_unreadable_means_10() {
        for query in ["", "limit=", "limit=0", "limit=51", "limit=-3", "limit=ten", "limit=5.0", "limit=5 ", "Limit=5"]
        {
            assert_eq!(request(query).limit, 10, "{query}");
        }
        assert_eq!(request("limit=99999999999999999999999").limit, 10);
        assert_eq!((request("limit=1").limit, request("limit=50").limit, request("a=b&limit=007").limit), (1, 50, 7));
    }

    #[test]
    fn only_true_and_1_include_seen_movies() {
        assert!(request("include_seen=true").include_seen && request("include_seen=1").include_seen);
        for query in
            ["", "include_seen", "include_seen=", "include_seen=yes", "include_seen=TRUE", "include_seen=false"]
        {
            assert!(!request(query).include_seen, "{query}");
        }
    }
}

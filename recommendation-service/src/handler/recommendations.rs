//! Recommendations for a user.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    path::UserPath,
    request_validation::query::{self, QueryParameters, ValidQuery},
    responses::RecommendationErrors,
    rfc3339,
};
use crate::{
    App,
    error::ApiError,
    middleware::json_bytes,
    models::{
        catalogue::Catalogue,
        recommendation::{RankedMovie, RecommendationRequest, Recommendations},
        user_id::UserId,
    },
    peers::trace_headers::TraceHeaders,
};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 50;
/// Stands before a poster path to make an address.
const POSTER_PREFIX: &str = "https://image.tmdb.org/t/p/w500";

/// What is recommended.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RecommendationQuery {
    /// How many movies at most. Anything else than 1 to 50 means 10.
    #[serde(deserialize_with = "query::lenient")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: Option<usize>,
    /// Whether movies that the user has watched or disliked are candidates too: `true` or `1`, `false` or `0`.
    #[serde(deserialize_with = "include_seen")]
    #[param(value_type = bool, required = false, default = false, example = false)]
    include_seen: Option<bool>,
}

impl QueryParameters for RecommendationQuery {
    const ORIGINAL: Option<&'static [&'static str]> = Some(&["limit"]);
}

impl RecommendationQuery {
    fn request(self, user: UserId) -> RecommendationRequest {
        let limit = self.limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).unwrap_or(DEFAULT_LIMIT);
        RecommendationRequest { user, limit, include_seen: self.include_seen.unwrap_or(false) }
    }
}

fn include_seen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    query::strict(deserializer, "true or false", |text| match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })
}

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
    params(UserPath, RecommendationQuery),
    responses((status = 200, description = "The list", body = RecommendationList<'static>), RecommendationErrors)
)]
pub async fn get_recommendations(
    State(app): State<Arc<App>>,
    path: UserPath,
    ValidQuery(query): ValidQuery<RecommendationQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let trace = TraceHeaders::from_headers(&headers);
    let list = app.recommender.recommend(query.request(path.id), &trace, render).await?;
    Ok(json_bytes(StatusCode::OK, list))
}

fn render(list: &Recommendations) -> Bytes {
    serde_json::to_vec(&RecommendationList::from(list)).expect("texts and finite numbers always serialise").into()
}

#[cfg(test)]
mod tests {
    use super::{super::request_validation::query::parse_query, *};
    use crate::error_code::ErrorCode;

    fn request(query: &str) -> Result<RecommendationRequest, ApiError> {
        Ok(parse_query::<RecommendationQuery>(query)?.request("1".parse().expect("an id")))
    }

    fn limit(query: &str) -> usize {
        request(query).expect(query).limit
    }

    #[test]
    fn a_limit_outside_1_to_50_or_unreadable_means_10() {
        for query in ["", "limit=", "limit=0", "limit=51", "limit=-3", "limit=ten", "limit=5.0", "limit=5 ", "Limit=5"]
        {
            assert_eq!(limit(query), 10, "{query}");
        }
        assert_eq!(limit("limit=99999999999999999999999"), 10);
        assert_eq!((limit("limit=1"), limit("limit=50"), limit("a=b&limit=007")), (1, 50, 7));
        assert_eq!((limit("limit=5&limit=7"), limit("li%6Dit=%35")), (5, 5));
    }

    #[test]
    fn include_seen_is_true_or_false_in_words_or_digits() {
        for (query, include_seen) in [
            ("", false),
            ("include_seen=true", true),
            ("include_seen=1", true),
            ("include_seen=false", false),
            ("include_seen=0", false),
        ] {
            assert_eq!(request(query).expect(query).include_seen, include_seen, "{query}");
        }
        let invalid =
            ApiError::bad_request(ErrorCode::InvalidParameter, "invalid include_seen, expected true or false");
        for query in ["include_seen", "include_seen=", "include_seen=yes", "include_seen=TRUE", "include_seen=%zz"] {
            assert_eq!(request(query).err(), Some(invalid.clone().field("include_seen")), "{query}");
        }
        assert!(request("include_seen=1&include_seen=1").is_err());
    }

    #[test]
    fn unknown_parameters_are_refused_only_beside_include_seen_or_near_it() {
        for query in ["utm=1", "limits=5", "page=2&limit=3", "seen=true"] {
            assert!(request(query).is_ok(), "{query}");
        }
        for query in ["include_sen=true", "include-seen=1", "limits=5&include_seen=1"] {
            assert!(request(query).is_err(), "{query}");
        }
    }
}

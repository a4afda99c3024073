//! Recommendations for a user.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};

use super::{query::first, schema::RecommendationParameters};
use crate::{
    App,
    error::{ApiError, ErrorBody},
    middleware::json_bytes,
    models::{
        recommendation::RecommendationList,
        user_id::{UserId, UserIdError},
    },
    service::recommendations::Question,
};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 50;

/// Recommend movies
///
/// Best first, by popularity, how recent a movie is, and the genres that the user prefers. Left out are movies that the
/// user has watched or disliked, and those rated below the user's minimum. While nothing can be learnt about the user,
/// the list is a general one.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/recommendations",
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
pub async fn list_recommendations(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let Path(id) = path.map_err(|_| UserIdError::Invalid)?;
    let user: UserId = id.parse()?;
    let question = question(user, query.as_deref().unwrap_or_default());
    Ok(json_bytes(StatusCode::OK, app.recommender.recommend(question).await?))
}

fn question(user: UserId, query: &str) -> Question {
    let limit = first(query, "limit").and_then(|limit| limit.parse().ok());
    let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).unwrap_or(DEFAULT_LIMIT);
    let include_seen = first(query, "include_seen").is_some_and(|value| value == "true" || value == "1");
    Question { user, limit, include_seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(query: &str) -> usize {
        question("1".parse().expect("an id"), query).limit
    }

    #[test]
    fn a_limit_outside_1_to_50_or_unreadable_means_10() {
        for query in ["", "limit=", "limit=0", "limit=51", "limit=-3", "limit=ten", "limit=5.0", "limit=5 ", "Limit=5"]
        {
            assert_eq!(limit(query), 10, "{query}");
        }
        assert_eq!(limit("limit=99999999999999999999999"), 10);
        assert_eq!((limit("limit=1"), limit("limit=50"), limit("a=b&limit=007")), (1, 50, 7));
    }

    #[test]
    fn only_true_and_1_include_seen_movies() {
        let includes = |query| question("1".parse().expect("an id"), query).include_seen;
        assert!(includes("include_seen=true") && includes("include_seen=1"));
        for query in
            ["", "include_seen", "include_seen=", "include_seen=yes", "include_seen=TRUE", "include_seen=false"]
        {
            assert!(!includes(query), "{query}");
        }
    }
}

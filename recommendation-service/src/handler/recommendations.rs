//! Recommendations for a user.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    catalogue_age::with_catalogue_age,
    explanation::ContributionView,
    filter_query::FilterQuery,
    list_info::ListInfo,
    list_query::{ListParameters, ListQuery},
    movie_view::MovieView,
    path::UserPath,
    request_validation::query::ValidQuery,
    responses::RecommendationErrors,
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

/// A list of recommendations.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecommendationList<'a> {
    /// For whom; left out for a visitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1, minimum = 1)]
    user_id: Option<i64>,
    /// Best first.
    recommendations: Vec<Recommendation<'a>>,
    /// What the list is made from: `popular` (nothing is known of the user), `preferences_only`, or `personalised`.
    #[schema(example = "personalised")]
    strategy: &'static str,
    #[serde(flatten)]
    info: ListInfo<'a>,
}

/// A recommended movie.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recommendation<'a> {
    #[serde(flatten)]
    movie: MovieView<'a>,
    /// Weighted sum, to four decimals. Below 0 only when what is known of the user speaks against the movie.
    #[schema(example = 0.7312)]
    score: f64,
    /// Why it is there.
    #[schema(example = "because you liked Alien, highly popular")]
    reason: String,
    /// Whether it is on the user's watchlist.
    #[schema(example = false)]
    watchlisted: bool,
    /// What the score is made of, with `explain=true`: the contributions sum to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    explanation: Option<Vec<ContributionView<'a>>>,
}

impl<'a> From<&'a Recommendations> for RecommendationList<'a> {
    fn from(list: &'a Recommendations) -> Self {
        Self {
            user_id: list.user.map(UserId::get),
            recommendations: list.movies.iter().map(|movie| Recommendation::new(&list.catalogue, movie)).collect(),
            strategy: list.strategy.name(),
            // The age of the catalogue is known when the list is sent.
            info: ListInfo::new(&list.id, list.excluded, list.generated_at, list.degraded, None)
                .variant(list.arm.as_ref().map(|arm| arm.variant.as_str())),
        }
    }
}

impl<'a> Recommendation<'a> {
    fn new(catalogue: &'a Catalogue, movie: &'a RankedMovie) -> Self {
        Self {
            movie: MovieView::new(catalogue, movie.index),
            score: movie.score,
            reason: movie.reasons.to_string(),
            watchlisted: movie.is_watchlisted,
            explanation: movie
                .explanation
                .as_ref()
                .map(|parts| parts.iter().map(|part| ContributionView::new(catalogue, part)).collect()),
        }
    }
}

/// Recommend movies
///
/// Best first. For a user of whom nothing but preferences is known: by popularity, how recent a movie is, and the genres
/// that the user prefers. Once the user has liked, disliked, rated, watched or abandoned a movie, rules that learn from that
/// join in. Left out are the movies that the user knows already, and those rated below the user's minimum. While the
/// user's profile cannot be read, the list is a general one, and says so in `degraded` and `degraded_reason`.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/recommendations",
    operation_id = "getRecommendations",
    tag = "recommendations",
    params(UserPath, ListQuery, FilterQuery),
    responses((status = 200, description = "The list", body = RecommendationList<'static>), RecommendationErrors)
)]
pub async fn get_recommendations(
    State(app): State<Arc<App>>,
    path: UserPath,
    ValidQuery(query): ValidQuery<ListParameters>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let trace = TraceHeaders::from_headers(&headers);
    let request = RecommendationRequest { user: path.id, list: query.into() };
    let list = app.recommender.recommend(request, &trace, render).await?;
    Ok(json_bytes(StatusCode::OK, with_catalogue_age(list, app.catalogue.stale_for())))
}

pub(super) fn render(list: &Recommendations) -> Bytes {
    serde_json::to_vec(&RecommendationList::from(list)).expect("texts and finite numbers always serialise").into()
}

//! Recommendations for a user.

use std::{borrow::Cow, sync::Arc};

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
    list_query::{ListParameters, ListQuery},
    movie_view::poster_url,
    path::UserPath,
    request_validation::query::ValidQuery,
    responses::RecommendationErrors,
    rfc3339,
};
use crate::{
    App,
    error::ApiError,
    middleware::json_bytes,
    models::{
        catalogue::Catalogue,
        recommendation::{Excluded, RankedMovie, RecommendationRequest, Recommendations},
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
    /// Names this list in events and interactions.
    #[schema(example = "5f2c0d1e9a7b4c3d8e6f0a1b2c3d4e5f")]
    recommendation_id: &'a str,
    /// How many movies were left out, each counted for the first reason that it has.
    excluded: ExcludedView,
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
    /// Given when movie-service has been away for a while: so many seconds ago the catalogue was last known to be up to date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 95, minimum = 0)]
    catalogue_age_seconds: Option<u64>,
}

/// How many movies were left out, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Excluded)]
pub struct ExcludedView {
    /// The user has watched, liked, disliked, rated or abandoned them.
    #[schema(example = 12, minimum = 0)]
    seen: usize,
    /// They are rated below the user's minimum.
    #[schema(example = 3, minimum = 0)]
    below_min_rating: usize,
    /// The parameters of the request leave them out.
    #[schema(example = 0, minimum = 0)]
    filtered: usize,
}

impl From<Excluded> for ExcludedView {
    fn from(excluded: Excluded) -> Self {
        let Excluded { seen, below_min_rating, filtered } = excluded;
        Self { seen, below_min_rating, filtered }
    }
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
            recommendation_id: &list.id,
            excluded: list.excluded.into(),
            generated_at: rfc3339(list.generated_at),
            degraded: list.degraded.map(|_| true),
            degraded_reason: list.degraded.map(|reason| reason.to_string()),
            // Known when the list is sent.
            catalogue_age_seconds: None,
        }
    }
}

impl<'a> Recommendation<'a> {
    fn new(catalogue: &'a Catalogue, movie: &'a RankedMovie) -> Self {
        let index = movie.index;
        Self {
            id: catalogue.ids()[index],
            title: catalogue.title(index),
            release_date: catalogue.release_date(index).map(|date| date.to_string()).unwrap_or_default(),
            genres: catalogue.genres(index).collect(),
            popularity: catalogue.popularity()[index],
            poster_url: poster_url(catalogue.poster_path(index)),
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

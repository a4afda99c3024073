//! Movies that people liked who liked a movie.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    json,
    list_query::limit_or_default,
    movie_view::MovieView,
    path::MoviePath,
    request_validation::query::{self, QueryParameters, ValidQuery},
    responses::{AlsoLikedErrors, CatalogueErrors},
};
use crate::{App, error::ApiError, service::recommendations::AlsoLiked};

/// How many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AlsoLikedQuery {
    /// How many movies at most. Anything else than 1 to 50 means 10.
    #[serde(deserialize_with = "query::lenient")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: Option<usize>,
}

impl QueryParameters for AlsoLikedQuery {}

/// The neighbours of a movie.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlsoLikedList<'a> {
    /// The movie.
    #[schema(example = 348)]
    movie_id: i32,
    /// The model that knows them; `""` while none has been trained.
    #[schema(example = "5f2c0d1e9a7b")]
    model_version: String,
    /// The nearest first; empty for a movie that the model does not know.
    movies: Vec<AlsoLikedMovie<'a>>,
}

/// A movie that the same people liked.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlsoLikedMovie<'a> {
    #[serde(flatten)]
    movie: MovieView<'a>,
    /// How near it is: the model's weight, above 0, to four decimals.
    #[schema(example = 0.1231, minimum = 0)]
    score: f64,
}

/// List movies that those who liked this one liked
///
/// Learned from what users did, unlike `similar` of movie-service, which compares what movies are. Empty until a model has
/// been trained.
#[utoipa::path(
    get,
    path = "/api/v1/movies/{id}/also-liked",
    operation_id = "listAlsoLiked",
    tag = "recommendations",
    params(MoviePath, AlsoLikedQuery),
    responses((status = 200, description = "The movies", body = AlsoLikedList<'static>), AlsoLikedErrors, CatalogueErrors)
)]
pub async fn list_also_liked(
    State(app): State<Arc<App>>,
    path: MoviePath,
    ValidQuery(query): ValidQuery<AlsoLikedQuery>,
) -> Result<Response, ApiError> {
    let limit = limit_or_default(query.limit);
    let AlsoLiked { catalogue, model_version, movies } = app.recommender.also_liked(path.id, limit)?;
    let movie = |(index, weight): (usize, f64)| AlsoLikedMovie {
        movie: MovieView::new(&catalogue, index),
        score: (weight * 1e4).round() / 1e4,
    };
    let list = AlsoLikedList {
        movie_id: path.id,
        model_version: model_version.unwrap_or_default(),
        movies: movies.into_iter().map(movie).collect(),
    };
    Ok(json(StatusCode::OK, &list))
}

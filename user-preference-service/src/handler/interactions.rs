//! `/api/v1/users/{id}/interactions`

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    path::UserPath,
    request_validation::{
        body::JsonBody,
        number,
        query::{self, QueryParameters, ValidQuery},
    },
    responses::{BodyErrors, ServerErrors, UserErrors},
};
use crate::{
    App,
    error::ApiError,
    models::{
        Invalid,
        id::MovieId,
        interaction::{Interaction, InteractionType, ListLimit, NewInteraction},
        interaction_value::{OccurredAt, RecommendationId},
    },
};

/// An interaction to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RecordInteraction {
    /// The movie, by movie-service's id; it need not exist.
    #[serde(default, deserialize_with = "number::integer")]
    #[schema(required, nullable = false, example = 42, minimum = 1, maximum = 2147483647)]
    movie_id: Option<i64>,
    /// What the user did with it.
    #[schema(required, nullable = false, value_type = InteractionType, example = "like")]
    interaction_type: Option<String>,
    /// Points in steps of 0.5: required for a `rating`, refused for any other type.
    #[serde(default, deserialize_with = "number::float")]
    #[schema(nullable, example = json!(null), minimum = 0.5, maximum = 10, multiple_of = 0.5)]
    value: Option<f64>,
    /// When the user did it, in RFC 3339; now by default. Not before 1888, and not more than a minute in the future. Of
    /// several interactions with a movie, the one that occurred last counts.
    #[schema(nullable, format = DateTime, example = "2026-11-22T18:00:00Z")]
    occurred_at: Option<String>,
    /// The `recommendation_id` of the list that the movie was taken from.
    #[schema(nullable, example = json!(null), min_length = 1, max_length = 100, pattern = r"^[^\u0000]*$")]
    recommendation_id: Option<String>,
}

impl TryFrom<RecordInteraction> for NewInteraction {
    type Error = Invalid;

    /// The fields are checked in the order type, movie, and then as they stand.
    fn try_from(body: RecordInteraction) -> Result<Self, Invalid> {
        let interaction_type = InteractionType::parse(body.interaction_type.unwrap_or_default())?;
        Ok(Self {
            movie_id: MovieId::new(body.movie_id.unwrap_or(0))?,
            interaction_type,
            value: Self::value_of(interaction_type, body.value)?,
            occurred_at: body.occurred_at.map(|text| OccurredAt::parse(&text, Utc::now())).transpose()?,
            recommendation_id: body.recommendation_id.map(RecommendationId::new).transpose()?,
        })
    }
}

/// The query of a list of interactions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListInteractions {
    /// How many, the newest first. 0 or less, or what is no number, means 50; more than 1000 means 1000.
    #[serde(deserialize_with = "query::lenient")]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000, example = 50)]
    limit: Option<ListLimit>,
}

impl QueryParameters for ListInteractions {
    const ORIGINAL: Option<&'static [&'static str]> = Some(&["limit"]);
}

/// An interaction that was recorded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Interaction)]
pub struct InteractionView {
    /// The number of this record.
    #[schema(example = 1, minimum = 1)]
    id: i64,
    /// Who did it.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// The movie, by movie-service's id.
    #[schema(example = 42, minimum = 1)]
    movie_id: i32,
    /// What the user did with it.
    #[schema(value_type = InteractionType, example = "like")]
    interaction_type: String,
    /// When it was recorded. RFC 3339, UTC.
    #[schema(example = "2026-11-22T18:00:00.123456Z")]
    created_at: DateTime<Utc>,
    /// The points of a rating; left out with any other type.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 8.5, minimum = 0.5, maximum = 10, multiple_of = 0.5)]
    value: Option<f32>,
    /// When the user did it. RFC 3339, UTC.
    #[schema(example = "2026-11-22T18:00:00.123456Z")]
    occurred_at: DateTime<Utc>,
    /// The list of recommendations that the movie was taken from; left out where none was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    recommendation_id: Option<String>,
}

impl From<Interaction> for InteractionView {
    fn from(interaction: Interaction) -> Self {
        let Interaction { id, user_id, movie_id, interaction_type, created_at, value, occurred_at, recommendation_id } =
            interaction;
        Self { id, user_id, movie_id, interaction_type, created_at, value, occurred_at, recommendation_id }
    }
}

/// The latest interactions of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct InteractionList {
    /// The user.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// Those recorded last come first.
    #[schema(max_items = 1000)]
    interactions: Vec<InteractionView>,
}

/// Record an interaction
///
/// Each call records one more, also of the same kind with the same movie.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/interactions",
    operation_id = "recordInteraction",
    tag = "interactions",
    // Without an example, which Swagger UI would fill in: nobody is to change user 1 by a click.
    params(("id" = i64, Path, description = "The user's id. A sign or zeros may stand before it.", minimum = 1)),
    request_body = RecordInteraction,
    responses(
        (status = 201, description = "Recorded", body = InteractionView),
        UserErrors,
        BodyErrors,
        ServerErrors,
    )
)]
pub async fn record_interaction(
    State(app): State<Arc<App>>,
    path: UserPath,
    JsonBody(body): JsonBody<RecordInteraction>,
) -> Result<(StatusCode, Json<InteractionView>), ApiError> {
    let interaction = app.interactions.record(path.id, body.try_into()?).await?;
    Ok((StatusCode::CREATED, Json(interaction.into())))
}

/// List the latest interactions of a user
///
/// The newest first.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/interactions",
    operation_id = "listInteractions",
    tag = "interactions",
    params(UserPath, ListInteractions),
    responses(
        (status = 200, description = "The interactions, newest first", body = InteractionList),
        UserErrors,
        ServerErrors,
    )
)]
pub async fn list_interactions(
    State(app): State<Arc<App>>,
    path: UserPath,
    ValidQuery(query): ValidQuery<ListInteractions>,
) -> Result<Json<InteractionList>, ApiError> {
    let (user, interactions) = app.interactions.newest(path.id, query.limit.unwrap_or_default()).await?;
    let interactions = interactions.into_iter().map(InteractionView::from).collect();
    Ok(Json(InteractionList { user_id: user.get(), interactions }))
}

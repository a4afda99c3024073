//! Recommendations for several users together.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    filter_query::FilterQuery,
    json,
    list_info::ListInfo,
    list_query::{limit_or_default, offset},
    movie_view::MovieView,
    request_validation::query::{self, QueryParameters, ValidQuery, invalid_parameter},
    responses::{CatalogueErrors, GroupErrors},
};
use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    models::{
        group::{Aggregation, GroupMovie, GroupRecommendations, GroupRequest},
        user_id::{UserId, UserIdError},
    },
    peers::trace_headers::TraceHeaders,
};

/// Fewest and most members of a group.
const MEMBERS: std::ops::RangeInclusive<usize> = 2..=50;
const EXPECTED_USERS: &str = "2 to 50 ids of users separated by commas, each once";

/// Who, and how.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct GroupQuery {
    /// The ids of 2 to 50 users, each once.
    #[serde(deserialize_with = "users")]
    #[param(value_type = String, required = true, pattern = "^[0-9]+(,[0-9]+){1,49}$", example = "1,2")]
    users: Option<Vec<String>>,
    /// How the members' scores become one: `average`, `least_misery` (the lowest counts) or `most_pleasure` (the highest).
    #[serde(deserialize_with = "aggregation")]
    #[param(value_type = String, required = false, default = "average", pattern = "^(average|least_misery|most_pleasure)$", example = "average")]
    strategy: Option<Aggregation>,
    /// How many movies at most. Anything else than 1 to 50 means 10.
    #[serde(deserialize_with = "query::lenient")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: Option<usize>,
    /// How many of the best movies to leave out, as they were shown already.
    #[serde(deserialize_with = "offset")]
    #[param(value_type = i64, required = false, minimum = 0, maximum = 10_000, default = 0, example = 0)]
    offset: Option<usize>,
}

impl QueryParameters for (GroupQuery, FilterQuery) {}

fn users<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    query::strict(deserializer, EXPECTED_USERS, |text| {
        let users: Vec<String> = text.split(',').map(str::to_owned).collect();
        MEMBERS.contains(&users.len()).then_some(users)
    })
}

fn aggregation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Aggregation>, D::Error> {
    query::strict(deserializer, "average, least_misery or most_pleasure", |text| text.parse().ok())
}

/// The request that the parameters make.
fn request((query, filter): (GroupQuery, FilterQuery)) -> Result<GroupRequest, ApiError> {
    let invalid = || invalid_parameter("users", ErrorCode::InvalidParameter, EXPECTED_USERS);
    let user = |text: &String| {
        text.parse::<UserId>().map_err(|error| match error {
            UserIdError::Invalid => invalid(),
            UserIdError::TooLarge => ApiError::not_found(ErrorCode::UserNotFound, "user not found").field("users"),
        })
    };
    let users = query.users.ok_or_else(invalid)?.iter().map(user).collect::<Result<Vec<UserId>, _>>()?;
    let mut distinct = users.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < users.len() {
        return Err(invalid());
    }
    Ok(GroupRequest {
        users,
        aggregation: query.strategy.unwrap_or_default(),
        limit: limit_or_default(query.limit),
        offset: query.offset.unwrap_or(0),
        filter: filter.into(),
    })
}

/// A list for a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupRecommendationList<'a> {
    /// For whom, in the order in which they were given.
    #[schema(example = json!([1, 2]), min_items = 2, max_items = 50)]
    users: Vec<i64>,
    /// How the members' scores became one.
    #[schema(example = "average")]
    strategy: &'static str,
    /// Best first; those that stand on the watchlists of all before the others.
    recommendations: Vec<GroupRecommendation<'a>>,
    #[serde(flatten)]
    info: ListInfo<'a>,
}

/// A movie recommended to a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupRecommendation<'a> {
    #[serde(flatten)]
    movie: MovieView<'a>,
    /// What the members' scores come to, to four decimals.
    #[schema(example = 0.7312)]
    score: f64,
    /// Whether all members have it on their watchlists.
    #[schema(example = false)]
    on_all_watchlists: bool,
    /// The score for each member.
    members: Vec<MemberScore>,
}

/// A member's score.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberScore {
    /// The member.
    #[schema(example = 1, minimum = 1)]
    user_id: i64,
    /// To four decimals.
    #[schema(example = 0.8123)]
    score: f64,
}

impl<'a> GroupRecommendation<'a> {
    fn new(list: &'a GroupRecommendations, movie: &GroupMovie) -> Self {
        let score = |(user, score): (&UserId, &f64)| MemberScore { user_id: user.get(), score: *score };
        Self {
            movie: MovieView::new(&list.catalogue, movie.index),
            score: movie.score,
            on_all_watchlists: movie.is_on_all_watchlists,
            members: list.request.users.iter().zip(&movie.members).map(score).collect(),
        }
    }
}

/// Recommend movies to a group
///
/// Best first, for an evening together. Left out is what any member has seen or rates too low for; what stands on the
/// watchlists of all comes first. While a member's profile cannot be read, the list is a general one, and says so.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/group",
    operation_id = "getGroupRecommendations",
    tag = "recommendations",
    params(GroupQuery, FilterQuery),
    responses((status = 200, description = "The list", body = GroupRecommendationList<'static>), GroupErrors, CatalogueErrors)
)]
pub async fn get_group_recommendations(
    State(app): State<Arc<App>>,
    ValidQuery(query): ValidQuery<(GroupQuery, FilterQuery)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let trace = TraceHeaders::from_headers(&headers);
    let list = app.recommender.recommend_to_group(request(query)?, &trace).await?;
    Ok(json(
        StatusCode::OK,
        &GroupRecommendationList {
            users: list.request.users.iter().map(|user| user.get()).collect(),
            strategy: list.request.aggregation.name(),
            recommendations: list.movies.iter().map(|movie| GroupRecommendation::new(&list, movie)).collect(),
            info: ListInfo::new(&list.id, list.excluded, list.generated_at, list.degraded, app.catalogue.stale_for()),
        },
    ))
}

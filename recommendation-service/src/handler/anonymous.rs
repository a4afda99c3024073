//! Recommendations for a visitor without an account.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    catalogue_age::with_catalogue_age,
    filter_query::FilterQuery,
    list_query::{ListParameters, ListQuery},
    recommendations::{RecommendationList, render},
    request_validation::{body::JsonBody, number, query::ValidQuery},
    responses::{AnonymousErrors, BodyErrors, CatalogueErrors},
};
use crate::{
    App,
    error::ApiError,
    error_code::ErrorCode,
    middleware::json_bytes,
    models::{
        feedback::{Feedback, FeedbackKind},
        user_profile::UserProfile,
    },
};

/// Most movies in one list of the body.
const MAX_MOVIES: usize = 1000;
/// Most genres in the body.
const MAX_GENRES: usize = 100;

/// What the visitor likes. All fields may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Visitor {
    /// Ids of movies that the visitor likes.
    #[schema(value_type = Vec<i32>, required = false, nullable = false, max_items = 1000, example = json!([1, 2]))]
    liked: Option<Vec<Id>>,
    /// Ids of movies that the visitor does not like.
    #[schema(value_type = Vec<i32>, required = false, nullable = false, max_items = 1000, example = json!([3]))]
    disliked: Option<Vec<Id>>,
    /// Ratings from 0.5 to 10 in steps of 0.5, by the movie's id.
    #[schema(value_type = BTreeMap<String, f64>, required = false, nullable = false, example = json!({ "4": 8.5 }))]
    ratings: Option<BTreeMap<String, Rating>>,
    /// Names of genres, in any case.
    #[schema(required = false, nullable = false, max_items = 100, example = json!(["Drama"]))]
    preferred_genres: Option<Vec<String>>,
}

/// A movie's id; `None` for a null.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Id(#[serde(deserialize_with = "number::integer")] Option<i64>);

/// A rating; `None` for a null.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Rating(#[serde(deserialize_with = "number::float")] Option<f64>);

impl Visitor {
    /// What is known of the visitor, as if all of it had been done at the time `now`.
    fn profile(self, now: DateTime<Utc>) -> Result<UserProfile, ApiError> {
        let mut feedback: BTreeMap<i32, FeedbackKind> = BTreeMap::new();
        let mut add = |field: &'static str, movie: Option<i64>, kind: FeedbackKind| {
            let id = movie.and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 0);
            let id = id.ok_or_else(|| invalid_field(field, "ids of movies"))?;
            match feedback.insert(id, kind) {
                None => Ok(()),
                Some(_) => Err(invalid_field(field, "each movie only once")),
            }
        };
        for (field, movies, kind) in
            [("liked", self.liked, FeedbackKind::Like), ("disliked", self.disliked, FeedbackKind::Dislike)]
        {
            let movies = movies.unwrap_or_default();
            limit(field, movies.len(), MAX_MOVIES)?;
            movies.into_iter().try_for_each(|Id(id)| add(field, id, kind))?;
        }
        let ratings = self.ratings.unwrap_or_default();
        limit("ratings", ratings.len(), MAX_MOVIES)?;
        for (movie, Rating(value)) in ratings {
            let value = value.filter(|value| (0.5..=10.0).contains(value) && (value * 2.0).fract() == 0.0);
            let value = value.ok_or_else(|| invalid_field("ratings", "ratings from 0.5 to 10 in steps of 0.5"))?;
            add("ratings", movie.parse().ok(), FeedbackKind::Rating(value))?;
        }
        let preferred_genres = self.preferred_genres.unwrap_or_default();
        limit("preferred_genres", preferred_genres.len(), MAX_GENRES)?;
        Ok(UserProfile {
            preferred_genres,
            seen_movie_ids: feedback.keys().copied().collect(),
            feedback: feedback
                .into_iter()
                .map(|(movie_id, kind)| Feedback { movie_id, kind, occurred_at: now })
                .collect(),
            ..UserProfile::default()
        })
    }
}

fn limit(field: &'static str, len: usize, max: usize) -> Result<(), ApiError> {
    if len <= max { Ok(()) } else { Err(invalid_field(field, &format!("at most {max} entries"))) }
}

fn invalid_field(field: &'static str, expected: &str) -> ApiError {
    ApiError::bad_request(ErrorCode::InvalidField, format!("invalid {field}, expected {expected}")).field(field)
}

/// Recommend movies to a visitor
///
/// As to a user who did just now what the body says. The list is recorded; what the body says is not kept.
#[utoipa::path(
    post,
    path = "/api/v1/recommendations",
    operation_id = "recommendToVisitor",
    tag = "recommendations",
    params(ListQuery, FilterQuery),
    request_body = Visitor,
    responses((status = 200, description = "The list", body = RecommendationList<'static>), AnonymousErrors, BodyErrors, CatalogueErrors)
)]
pub async fn recommend_to_visitor(
    State(app): State<Arc<App>>,
    ValidQuery(query): ValidQuery<ListParameters>,
    JsonBody(visitor): JsonBody<Visitor>,
) -> Result<Response, ApiError> {
    let profile = visitor.profile(Utc::now())?;
    let list = app.recommender.recommend_to_visitor(profile, query.into()).await?;
    Ok(json_bytes(StatusCode::OK, with_catalogue_age(render(&list), app.catalogue.stale_for())))
}

#[cfg(test)]
mod tests {
    use super::{super::request_validation::body::parse_json, *};

    fn profile(body: &str) -> Result<UserProfile, ApiError> {
        parse_json::<Visitor>(body.as_bytes())?.profile(DateTime::UNIX_EPOCH)
    }

    #[test]
    fn everything_that_is_said_becomes_feedback_and_is_seen() {
        let body = r#"{"liked":[3,1.0],"disliked":[2],"ratings":{"9":8.5,"4":10},"preferred_genres":["War"],"more":1}"#;
        let profile = profile(body).expect("valid");
        let feedback: Vec<_> = profile.feedback.iter().map(|feedback| (feedback.movie_id, feedback.kind)).collect();
        assert_eq!(
            feedback,
            [
                (1, FeedbackKind::Like),
                (2, FeedbackKind::Dislike),
                (3, FeedbackKind::Like),
                (4, FeedbackKind::Rating(10.0)),
                (9, FeedbackKind::Rating(8.5)),
            ]
        );
        assert_eq!((profile.seen_movie_ids, profile.preferred_genres), (vec![1, 2, 3, 4, 9], vec!["War".to_owned()]));
    }

    #[test]
    fn all_may_be_left_out() {
        for body in ["{}", r#"{"liked":null,"disliked":[],"ratings":{},"preferred_genres":null}"#] {
            assert_eq!(profile(body), Ok(UserProfile::default()), "{body}");
        }
    }

    #[test]
    fn a_wrong_value_is_400_naming_the_field() {
        let many = format!("[{}]", (1..=1001).map(|id| id.to_string()).collect::<Vec<_>>().join(","));
        for (field, value) in [
            ("liked", "[0]"),
            ("liked", "[-1]"),
            ("liked", "[99999999999]"),
            ("liked", "[null]"),
            ("liked", "[1,1]"),
            ("liked", &many),
            ("ratings", r#"{"1":0}"#),
            ("ratings", r#"{"1":10.5}"#),
            ("ratings", r#"{"1":7.3}"#),
            ("ratings", r#"{"1":null}"#),
            ("ratings", r#"{"x":7}"#),
            ("ratings", r#"{"0":7}"#),
            ("disliked", r#"[1],"liked":[1]"#),
        ] {
            let body = profile(&format!("{{\"{field}\":{value}}}")).expect_err(value).into_body();
            assert_eq!((body.code, body.field.as_deref()), (ErrorCode::InvalidField, Some(field)), "{value}");
        }
        for body in [r#"{"liked":["1"]}"#, r#"{"liked":[1.5]}"#, r#"{"ratings":{"1":"7"}}"#, r#"{"liked":{}}"#, "[]"] {
            assert_eq!(profile(body).expect_err(body).into_body().code, ErrorCode::InvalidRequestBody, "{body}");
        }
    }
}

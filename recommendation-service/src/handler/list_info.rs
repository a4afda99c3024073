//! What is said of every list, whoever it is for.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::rfc3339;
use crate::models::recommendation::{DegradedReason, Excluded};

/// How a list was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListInfo<'a> {
    /// Names this list in events and interactions.
    #[schema(example = "5f2c0d1e9a7b4c3d8e6f0a1b2c3d4e5f")]
    recommendation_id: &'a str,
    /// The set of rules that the list is made by, while an experiment runs; `""` is the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "b")]
    variant: Option<&'a str>,
    /// How many movies were left out, each counted for the first reason that it has.
    excluded: ExcludedView,
    /// When the list was made.
    #[schema(format = DateTime, example = "2026-11-22T12:00:00.000000Z")]
    generated_at: String,
    /// Always true where it is given: the list is a general one, made without what is known of the users.
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

impl<'a> ListInfo<'a> {
    /// `catalogue_age` is `None` for a copy that is up to date, or where the age is added when the list is sent.
    pub(super) fn new(
        id: &'a str,
        excluded: Excluded,
        generated_at: DateTime<Utc>,
        degraded: Option<DegradedReason>,
        catalogue_age: Option<Duration>,
    ) -> Self {
        let Excluded { seen, below_min_rating, filtered } = excluded;
        Self {
            recommendation_id: id,
            variant: None,
            excluded: ExcludedView { seen, below_min_rating, filtered },
            generated_at: rfc3339(generated_at),
            degraded: degraded.map(|_| true),
            degraded_reason: degraded.map(|reason| reason.to_string()),
            catalogue_age_seconds: catalogue_age.map(|age| age.as_secs()),
        }
    }

    /// The same with the variant of the experiment that runs.
    pub(super) fn variant(self, variant: Option<&'a str>) -> Self {
        Self { variant, ..self }
    }
}

/// How many movies were left out, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Excluded)]
pub struct ExcludedView {
    /// The user has watched, liked, disliked, rated or abandoned them; in a group, any member.
    #[schema(example = 12, minimum = 0)]
    seen: usize,
    /// They are rated below the user's minimum; in a group, any member's.
    #[schema(example = 3, minimum = 0)]
    below_min_rating: usize,
    /// The parameters of the request leave them out.
    #[schema(example = 0, minimum = 0)]
    filtered: usize,
}

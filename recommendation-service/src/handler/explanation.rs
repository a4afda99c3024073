//! What a score is made of.

use serde::Serialize;
use utoipa::ToSchema;

use crate::models::{
    catalogue::Catalogue,
    recommendation::{Contribution, Source},
};

/// A rule's part of a score.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contribution)]
pub struct ContributionView<'a> {
    /// What the rule looks at.
    #[schema(example = "affinity")]
    rule: &'static str,
    /// What the rule gives the movie, to six decimals.
    #[schema(example = 0.4312)]
    value: f64,
    /// What the rule counts.
    #[schema(example = 0.5, minimum = 0)]
    weight: f64,
    /// Weight times value, rounded to four decimals so that the contributions sum to the score.
    #[schema(example = 0.2156)]
    contribution: f64,
    /// The user's movies that a learned value comes from, largest share first, at most five.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    sources: Vec<SourceView<'a>>,
}

/// A movie that a learned value comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub struct SourceView<'a> {
    /// Its id.
    #[schema(example = 348)]
    movie_id: i32,
    /// Its title, `""` when the catalogue has it no longer.
    #[schema(example = "Alien")]
    title: &'a str,
    /// Its part of what counts for the value, 0 to 1.
    #[schema(example = 0.62, minimum = 0, maximum = 1)]
    share: f64,
}

impl<'a> ContributionView<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, part: &Contribution) -> Self {
        Self {
            rule: part.rule_type.name(),
            value: round(part.value, 1e6),
            weight: part.weight,
            contribution: part.contribution,
            sources: part.sources.iter().map(|source| SourceView::new(catalogue, source)).collect(),
        }
    }
}

impl<'a> SourceView<'a> {
    fn new(catalogue: &'a Catalogue, source: &Source) -> Self {
        let index = catalogue.index_of(source.movie_id);
        Self {
            movie_id: source.movie_id,
            title: index.map_or("", |index| catalogue.title(index)),
            share: round(source.share, 1e4),
        }
    }
}

/// To the decimals that `scale` has zeros. Adding 0 turns -0 into 0.
fn round(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale + 0.0
}

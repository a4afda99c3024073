//! What is recorded of a list.

use super::Sources;
use crate::models::{
    catalogue::Catalogue,
    group::{GroupMovie, GroupRecommendations},
    list_request::ListRequest,
    recommendation::{RankedMovie, Recommendations},
    recorded_list::{RecordedItem, RecordedList},
    rule::RuleType,
};

/// A list for a user or a visitor.
pub(super) fn of_list(list: &Recommendations, request: &ListRequest, sources: &Sources) -> RecordedList {
    let weight = |(rule_type, weight): &(RuleType, f64)| (rule_type.name().to_owned(), *weight);
    let item = |movie: &RankedMovie| item(&list.catalogue, movie.index, movie.score, movie.contributions.clone());
    RecordedList {
        id: list.id.clone(),
        user: list.user,
        generated_at: list.generated_at,
        strategy: list.strategy.name().to_owned(),
        arm: list.arm.clone(),
        model_version: sources.model_version().to_owned(),
        degraded: list.degraded.is_some(),
        first_place: first_place(request.offset),
        rules: list.rules.iter().map(weight).collect(),
        items: list.movies.iter().map(item).collect(),
    }
}

/// A list for a group: of no single user, and scored by rules of each member.
pub(super) fn of_group(list: &GroupRecommendations, sources: &Sources) -> RecordedList {
    let item = |movie: &GroupMovie| item(&list.catalogue, movie.index, movie.score, Vec::new());
    RecordedList {
        id: list.id.clone(),
        user: None,
        generated_at: list.generated_at,
        strategy: format!("group_{}", list.request.aggregation),
        arm: None,
        model_version: sources.model_version().to_owned(),
        degraded: list.degraded.is_some(),
        first_place: first_place(list.request.offset),
        rules: Vec::new(),
        items: list.movies.iter().map(item).collect(),
    }
}

fn item(catalogue: &Catalogue, index: usize, score: f64, contributions: Vec<f64>) -> RecordedItem {
    RecordedItem { movie_id: catalogue.ids()[index], score, contributions }
}

fn first_place(offset: usize) -> i32 {
    i32::try_from(offset).unwrap_or(i32::MAX - 1).saturating_add(1)
}
